use strict;
use warnings;
use lib 't/lib';
use MNT;
use IO::Select;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

# API-01 under a rush: many changes one after the other and at once are all
# answered.  And a body that grows beyond the limit while the worker waits for
# its database leaves nothing behind.

my $m = MNT->new(workers => 1);
$m->start;
$m->up;

my $body = sub {
    return '{"platform":"hls","channel":"http://127.0.0.1:9/' . $_[0]
        . '.m3u8"}';
};
sub at_once {
    my ($n, $name) = @_;
    my (%got, %text);
    my $set = IO::Select->new;
    for my $i (1 .. $n) {
        my $c = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
            PeerPort => $m->{port}, Proto => 'tcp') or die $!;
        my $b = $body->("$name$i");
        print $c "POST /api/v1/streamers HTTP/1.1\r\nHost: a\r\n"
            . "Content-Type: application/json\r\nConnection: close\r\n"
            . 'Content-Length: ' . length($b) . "\r\n\r\n$b";
        $c->flush;
        $set->add($c);
    }
    my $end = time + 20 * $MNT::PATIENCE;
    while ($set->count && time < $end) {
        for my $c ($set->can_read(1)) {
            next if sysread $c, $text{$c}, 65536, length($text{$c} // '');
            my ($s) = ($text{$c} // '') =~ m{^HTTP/1.1 (\d+)};
            $got{ $s // 'none' }++;
            $set->remove($c);
            close $c;
        }
    }
    $got{late} = $set->count if $set->count;
    return join ' ', %got;
}
my %status;
$status{ at_once(1, "a$_-") }++ for 1 .. 1000;
is(join(', ', %status), '201 1, 1000', 'a thousand one after the other');
is(at_once(100, 'b'), '201 100', 'a hundred at once');
is(at_once(600, 'c'), '201 600', 'six hundred at once');

# whoever only looks leaves room for changes, and health tells slow from away

my @rush = map {
    my $c = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $m->{port}, Proto => 'tcp') or die $!;
    print $c "GET /api/v1/streamers?limit=500 HTTP/1.0\r\n\r\n";
    $c->flush;
    $c;
} 1 .. 800;
my ($h, %health);
for (1 .. 4) {
    $h = $m->call(GET => '/health');
    $health{$h->{status}}++;
    unlike($h->{content}, qr/"down"/, 'a busy database is not down');
}
is(join(' ', %health), '200 4', 'healthy in a rush of listings');
is(at_once(20, 'd'), '201 20', 'changes get through');
my %list;
for my $c (@rush) {
    my $text = join '', <$c>;
    my ($s) = $text =~ m{^HTTP/1.1 (\d+)};
    $list{ $s // 'none' }++;
    next if ($s // '') eq '200';
    $list{bad}++ if $text !~ /^Retry-After: \d/m || $text !~ /"unavailable"/;
}
is(join(' ', sort keys %list), '200 503', 'the others are told to come again')
    or diag join ' ', %list;
cmp_ok($list{200}, '>=', 100, 'as many as can wait are answered');
$m->stop;
$m->check_log;

# while the worker is young the request waits, then its body is read: whole at
# once, or its too large end later; one that fits waits for the database in vain

my $n = MNT->new(workers => 1);
$n->{block} = "mntreamer { database \"host=$n->{dir}/nobody dbname=x user=x\";
    storage $n->{storage}; }";
my $conf = $n->config;
$conf =~ s/location \/api\/ +\{/location \/api\/ { client_max_body_size 64k;/;
$n->{raw_config} = $conf;
$n->start;

my $head = "POST /api/v1/streamers HTTP/1.1\r\nHost: a\r\n"
    . "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
my $chunk = sprintf "%x\r\n%s\r\n", 70000, 'x' x 70000;
my @c = map {
    IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $n->{port},
                          Proto => 'tcp') or die $!;
} 0 .. 2;
$_->autoflush(1) for @c;
(my $small = $body->('small')) =~ s/127.0.0.1:9/live.example/;
print { $c[2] } "$head" . sprintf("%x\r\n%s\r\n0\r\n\r\n", length $small, $small);
print { $c[0] } $head;
print { $c[1] } "$head$chunk";
sleep 3;
print { $c[0] } $chunk;
my %answers;
for my $c (@c) {
    my $text = '';
    my $end = time + 10;
    while (time < $end && IO::Select->new($c)->can_read(1)) {
        last unless sysread $c, $text, 65536, length $text;
        last if $text =~ /\r\n\r\n.*\}/s;
    }
    like($text, qr{^HTTP/1.1 (?:413|503) }, 'an answer')
        or diag $text;
    next if $text !~ m{^HTTP/1.1 503 };
    like($text, qr/^Retry-After: [1-9]\d*\r$/mi, 'which says when to come again');
    like($text, qr/"database_unavailable"/, 'and why');
    $answers{503}++;
}
ok($answers{503}, 'whose body fits is told to come again');
close $_ for @c;
sleep 0.5;

$n->finish;
