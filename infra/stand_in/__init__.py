"""The AWS stand-in: ministack, amended where it pretends, for the tests and the demo of this repository.

It runs with the interpreter of its own environment (`.overfly/stand-in`, which `./run demo` and `./run test`
make) and never in production; what rests on it was seen on a stand-in, not on AWS.
"""
