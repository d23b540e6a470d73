"""Conversations: messages that last, the turns that answer them, and the models that are asked.

A turn is what the assistant does about one message of a person. All that it has done is in the
parts of its message, so that it can be taken up again by whoever reads them: after an approval,
after a reload of the page, after the process was killed.
"""
