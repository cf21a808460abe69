#!/usr/bin/python3

# Copyright (C) the mntreamer authors

"""Many publishers at once, as far as the answer to "publish".

    publishers.py PORT APPLICATION [--from ADDRESS] [--one-by-one] [--hold S]

The names (stream keys) are lines of stdin. Prints for each, in their order,
"started", or "refused": the connection was closed. Those that started stay for
S seconds, without sending anything.
"""

import argparse
import asyncio
import os
import struct
import sys


def text(s):
    b = s.encode()
    return b'\x02' + struct.pack('>H', len(b)) + b


def number(n):
    return b'\x00' + struct.pack('>d', n)


def pairs(**kv):
    out = b'\x03'
    for k, v in kv.items():
        out += text(k)[1:] + text(v)
    return out + b'\x00\x00\x09'


def message(kind, stream, body):
    out = b'\x03' + b'\x00\x00\x00' + struct.pack('>I', len(body))[1:]
    out += bytes([kind]) + struct.pack('<I', stream)
    for i in range(0, max(len(body), 1), 128):
        out += (b'\xc3' if i else b'') + body[i:i + 128]
    return out


async def publish(args, name):
    host = '127.0.0.1'
    local = (args.source, 0) if args.source else None
    try:
        r, w = await asyncio.open_connection(host, args.port, local_addr=local)
        w.write(b'\x03' + bytes(8) + os.urandom(1528))
        await r.readexactly(1 + 2 * 1536)
        w.write(bytes(1536))
        w.write(message(20, 0, text('connect') + number(1)
                        + pairs(app=args.application,
                                tcUrl='rtmp://%s:%d/%s' % (host, args.port,
                                                           args.application))))
        w.write(message(20, 0, text('createStream') + number(2) + b'\x05'))
        w.write(message(20, 1, text('publish') + number(3) + b'\x05'
                        + text(name) + text('live')))
        got = b''
        while b'NetStream.Publish.Start' not in got:
            more = await asyncio.wait_for(r.read(4096), 20)
            if not more:
                return 'refused', w
            got += more
        return 'started', w
    except (ConnectionError, asyncio.IncompleteReadError):
        return 'refused', None
    except asyncio.TimeoutError:
        return 'silence', w


async def main():
    p = argparse.ArgumentParser()
    p.add_argument('port', type=int)
    p.add_argument('application')
    p.add_argument('--from', dest='source')
    p.add_argument('--one-by-one', action='store_true')
    p.add_argument('--hold', type=float, default=0)
    args = p.parse_args()
    names = sys.stdin.read().split()

    if args.one_by_one:
        out = [await publish(args, n) for n in names]
    else:
        out = await asyncio.gather(*[publish(args, n) for n in names])

    print('\n'.join(o[0] for o in out), flush=True)
    await asyncio.sleep(args.hold)


asyncio.run(main())
