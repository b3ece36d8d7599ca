"""The race: writers in processes of their own against a reader that tails, one killed on the way.

`course` runs it, `writer` and `reader` are its processes, `marks` what they write, `verdict` says who lost what, and
`sabotage` takes the head lock away, to show that the verdict would notice.
"""
