"""The page at /ui: skills and their evidence, what is resident, a playground, mixes, traffic.

Plain HTML, CSS and ES modules in `static/`, without a build step and without anything from
elsewhere. Owns what the page is sent. Refuses to own what it shows: that is read from the parts
of the gateway. To add a view: a panel in `static/index.html`, a module beside it, and where it
needs new figures a route in `routes.py`.
"""
