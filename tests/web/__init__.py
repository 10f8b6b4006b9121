"""The pages, the webhooks and the mails, over real HTTP and SMTP."""
