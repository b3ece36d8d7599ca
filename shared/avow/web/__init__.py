"""What both services' HTTP faces share: message catalogues, problem answers, body limits, security headers, API docs.

A service puts them on in this order, so that every answer is a problem in two languages with the headers on it:

    app.add_middleware(BodyLimits, catalogue=catalogue)
    …                                         # authentication and whatever else may refuse
    install_problem_handlers(app, catalogue)  # the last resort is around all of the above
    app.add_middleware(SecurityHeaders)       # outermost
    install_docs(app, "承诺 / Pledge")
"""
