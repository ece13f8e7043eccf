"""SQS as a place to send to and to receive from."""
