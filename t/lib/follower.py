#!/usr/bin/python3

# Copyright (C) the mntreamer authors

# usage: follower.py --port N --dir DIR --parent PID
#
# A stand-in of followers: each first component of a path is one.  What it
# answers stands in DIR/modes/NAME, what it heard is a line of DIR/heard:
#
#     204, 500, ...    this status
#     slow SECONDS     200 after so long
#     hang             nothing
#     drop             closes without an answer
#     redirect URL     302
#     huge             200 and a body that does not end
#     body             200 and a body that never comes

import argparse
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Follower(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def note(self, **more):
        line = json.dumps(dict(more, t=time.time(), method=self.command,
                               path=self.path, headers=dict(self.headers)))
        with lock, open(f'{args.dir}/heard', 'a') as log:
            log.write(line + '\n')

    def do_GET(self):
        self.note(name='GET', body=None)
        self.answer(200)

    def do_POST(self):
        length = int(self.headers.get('Content-Length') or 0)
        body = self.rfile.read(length).decode()
        name = self.path.split('/')[1].split('?')[0]
        self.note(name=name, body=body)

        try:
            with open(f'{args.dir}/modes/{name}') as f:
                mode = f.read().split()
        except FileNotFoundError:
            mode = ['200']

        self.close_connection = True

        if mode[0] == 'slow':
            time.sleep(float(mode[1]))
            self.answer(200)
        elif mode[0] == 'hang':
            time.sleep(60)
        elif mode[0] == 'redirect':
            self.answer(302, Location=mode[1])
        elif mode[0] == 'huge':
            self.head(200)
            try:
                while True:
                    self.wfile.write(b'x' * 65536)
            except OSError:
                pass
        elif mode[0] == 'body':
            self.head(200, **{'Content-Length': '10'})
            time.sleep(60)
        elif mode[0] != 'drop':
            self.answer(int(mode[0]))

    def head(self, status, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.flush()

    def answer(self, status, **headers):
        try:
            self.head(status, **headers, **{'Content-Length': '0'})
        except OSError:
            pass


def watch():
    while os.getppid() == args.parent:
        time.sleep(0.5)
    os._exit(0)


parser = argparse.ArgumentParser()
parser.add_argument('--port', type=int, required=True)
parser.add_argument('--dir', required=True)
parser.add_argument('--parent', type=int, required=True)
args = parser.parse_args()
lock = threading.Lock()
threading.Thread(target=watch, daemon=True).start()
ThreadingHTTPServer.allow_reuse_address = True
ThreadingHTTPServer.daemon_threads = True
ThreadingHTTPServer.request_queue_size = 64
ThreadingHTTPServer(('127.0.0.1', args.port), Follower).serve_forever()
