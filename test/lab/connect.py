"""Connects to a name the way programs in Python do, and prints the address that it got, or what went wrong.

connect.py sequential|twisted-tcp|twisted-tls HOST PORT
"""

import socket
import sys


def sequential(host, port):
    print(socket.create_connection((host, port)).getpeername()[0])


def twisted(kind, host, port):
    from twisted.internet import endpoints, protocol, reactor

    class Say(protocol.Protocol):
        def connectionMade(self):
            print(self.transport.getPeer().host)
            reactor.stop()

    def failed(failure):
        print(failure.value, file=sys.stderr)
        reactor.stop()

    make = (
        endpoints.TCP4ClientEndpoint
        if kind == "twisted-tcp"
        else endpoints.HostnameEndpoint
    )
    endpoint = make(reactor, host.encode() if kind == "twisted-tls" else host, port)
    endpoint.connect(protocol.Factory.forProtocol(Say)).addErrback(failed)
    reactor.run()


kind, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
if kind == "sequential":
    sequential(host, port)
else:
    twisted(kind, host, port)
