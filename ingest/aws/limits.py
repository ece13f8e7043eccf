"""What SQS takes in one message and in one request.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
"""

from typing import Final

BODY_BYTES: Final = 1 << 20
"""Most bytes of a message, so of its body. A queue may be set to fewer (MaximumMessageSize)."""
REQUEST_BYTES: Final = 1 << 20
"""Most bytes of the bodies of one SendMessageBatch in all."""
REQUEST_ENTRIES: Final = 10
"""Most entries of one batch request, and most messages of one ReceiveMessage. SNS's PublishBatch and
EventBridge's PutEvents take as many.
"""
