"""Clients of AWS and what AWS answers; SQS as a place to send to and to receive from."""
