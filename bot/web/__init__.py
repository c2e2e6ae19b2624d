"""The page: a front end in the browser beside Discord's, with aiohttp and Jinja2. Loads no discord, no torch.

How to add a page:

1. Write a module in one of the areas (`bot/web/channel/`, the local channel; another area is another folder
   beside it). It holds `routes = web.RouteTableDef()` and its handlers. Every module of an area is found by
   itself (`bot.web.app.routes_of`); `application(area, ...)` says which areas an application serves.
2. A handler takes the `web.Request`. What it works with is `parts_of(request)`, a `bot.web.parts.Parts`; it
   has the heart (`parts.heart.store`, `.worker`, `.asking` …). Who asks is `visit_of(request)`, in whose
   language `say_of(request)` speaks (both in `bot.web.visits`): the same sentences as Discord's, with the
   page's own ones in `bot/sentences/*/page.py`.
3. It answers with `page(request, "name.html", fact=...)` (`bot.web.pages`). A template in `templates/`
   extends `base.html`; `say`, `token`, `asset('page.css')`, and the filters `said` (a sentence with
   its markup) and `words` (what people wrote) are there in each. Styles and scripts are files in `static/`,
   named by `asset`, never inline: the Content-Security-Policy forbids it. A script is an ES module of ours.
4. GET changes nothing. Every other method is refused (`bot.web.guards.forgery`) without our `Origin` and the
   visitor's token: a form has `{{ token_field() }}`, a script calls `send()` of `static/sending.js`.
5. Say no by raising `aiohttp.web.HTTPNotFound` and its like, or any `bot.sentences.refusals.Refusal`: the
   one handler of errors (`bot.web.errors`) makes a page or, for a script, JSON of it, in words.

Guards stand before every page (`bot/web/guards/`): which `Host` we answer to, how often one address may ask,
forged writes, what a browser may load. `client_max_size` bounds a body before it is read.
"""
