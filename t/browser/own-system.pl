#!/usr/bin/perl

# Copyright (C) the mntreamer authors

# usage: own-system.pl [RENDITIONS SIZE PICTURE]
#
# A running system with nginx-rtmp for tests of the page, and a clip to send to
# it; with renditions it records.  Says where it is in one line of JSON, and ends when stdin does.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP;
use MNT;
use MNTRTMP;
use Test::More;

Test::More->builder->output(\*STDERR);

# the headers of conf/nginx.conf

my ($headers) = MNT::slurp("$MNT::TOP/conf/nginx.conf")
    =~ /((?:^ +add_header .*\n)+)/m;

my ($renditions, @clip) = @ARGV;
my $m = MNTRTMP->new(workers => 2, server => $headers, $renditions
    ? (renditions => $renditions) : (record => 0));
$m->start;
$m->up;

$| = 1;
print encode_json({ url => "http://127.0.0.1:$m->{port}/",
                    rtmp => $m->rtmp('ingest'),
                    clip => MNTRTMP::clip(@clip) }),
    "\n";
1 while <STDIN>;

$m->stop;
$m->check_log;
$m->cleanup;
done_testing;
