"""Made-up provinces of any size, valid to the last event: for load, for growth, for trying things out.

Design
------
Everything goes the way of any caller, through the log's `execute`: what a use case refuses cannot be generated. What is
drawn is drawn from the seed, place by place, so the same arguments give the same agencies, names, scores and votes::

    running ─▶ roster     the province, its agencies and persons
            ─▶ blocs      each bloc by itself, many at once: founded, then year by year
                 └─ a closed year    beginnings ─▶ scoring ─▶ contesting ─▶ conference ─▶ closed
                 └─ the year now     beginnings ─▶ a roll call that waits for one vote
                        └─ desk: enters commands, each under an idempotency key of its own

Rules that every change here must keep:

* What was before the province was here is entered as from paper: `time` says when it happened, the log when it was
  recorded. Only the year that is under way happens now.
* Whoever acts may: members score themselves, secretaries and experts appraise, the council decides disputes.
* A command's key is made from where it stands, so a run that broke off goes on: what was entered is answered as it was
  then, and a year that is closed is passed over.
* No name is of a real person. The province says in its own words that it is made up, and from which arguments.
"""
