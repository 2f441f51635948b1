"""The emulator's SES: verifies the shop's domain, and reads what was sent."""

import time

import requests

from api import equal

SENDER = "shop@example.com"
SHOP = "https://shop.example.com"

# From the write to the mail: over the stream, the bus and the queue.
PATIENCE_SECONDS = 60


class Mailbox:
    """The mails that the emulator was given to send."""

    def __init__(self, aws):
        self.url = f"{aws.url}/_ministack/ses/messages"
        aws.client("sesv2").create_email_identity(EmailIdentity=SENDER.partition("@")[2])

    def token(self, recipient, subject, page):
        """Waits for a mail with this subject to this address; returns the token in its link to this page."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (mails := self._mails(recipient, subject)) and time.monotonic() < deadline:
            time.sleep(1)
        equal(f"the number of mails to {recipient}: {subject}", len(mails), 1)
        start = f"{SHOP}/{page}#token="
        tokens = [word.removeprefix(start) for word in mails[0]["BodyText"].split() if word.startswith(start)]
        equal("the number of links with a token", len(tokens), 1)
        equal("the page has the same link", f'href="{start}{tokens[0]}"' in mails[0]["BodyHtml"], True)
        return tokens[0]

    def expect(self, recipient, order_ids, subjects):
        """Waits for a mail with each of the subjects, in any order, all to this address, with a link to an order."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(mails := self._mails(recipient)) < len(subjects) and time.monotonic() < deadline:
            time.sleep(1)
        equal("the subjects of the mails", sorted(mail["Subject"] for mail in mails), sorted(subjects))
        links = [f"{SHOP}/orders/{order_id}" for order_id in order_ids]
        for mail in mails:
            equal("the sender and the recipient of a mail", (mail["Source"], mail["To"]), (SENDER, [recipient]))
            for body in (mail["BodyText"], mail["BodyHtml"]):
                equal("a mail links to its order", any(link in body for link in links), True)

    def _mails(self, recipient, subject=None):
        answer = requests.get(self.url, timeout=10)
        answer.raise_for_status()
        mails = [mail for mails in answer.json()["messages"].values() for mail in mails]
        return [mail for mail in mails if mail["To"] == [recipient] and subject in (None, mail["Subject"])]
