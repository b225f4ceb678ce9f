"""What schemathesis has to be told of the API: OCSP requests are bytes (RFC 6960)."""

import schemathesis


@schemathesis.serializer("application/ocsp-request")
def ocsp_request(_context, value):
    return value if isinstance(value, bytes) else str(value).encode()
