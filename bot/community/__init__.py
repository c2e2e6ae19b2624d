"""What people do together: votes, rankings, the hall of fame, contests, choices. Knows no Discord."""
