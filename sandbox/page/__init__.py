"""The sandbox's page: a shop, a Discord server and a mailbox side by side, the tour above them, trouble on buttons.

It shows and steers the outside world only; of Doorlist it knows the address.
"""
