"""Asking a running box for pages, at any of its ports."""

import http.client
import ssl


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.text = (
            response.status,
            response.headers,
            response.read().decode(),
        )


def ask(box, port, path, method="GET", plain=False, body=None, **headers):
    context = ssl.create_default_context(cafile=box.ca)
    context.check_hostname = False
    if plain:
        connection = http.client.HTTPConnection(box.address, port, timeout=20)
    else:
        connection = http.client.HTTPSConnection(box.address, port, context=context, timeout=20)
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, {"Host": box.domain} | fields)
    answer = Answer(connection.getresponse())
    connection.close()
    return answer
