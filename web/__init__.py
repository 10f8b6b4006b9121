"""The only home of aiohttp.web: webhooks, sign-in, the pages people see, and the mail they get."""
