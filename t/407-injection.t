use strict;
use warnings;
use utf8;
use lib 't/lib';
use MNT;
use Encode qw(encode);
use IO::Socket::INET;
use JSON::PP;
use Test::More;

# RELIABILITY S14, S16, S17, S18: texts of platforms and people are rows, JSON,
# headers and lines of the log, and never anything else: no SQL, no markup, no
# header of their own, no line of their own.

# the only call that sends a statement takes its values apart from its text

my @call = `grep -rnE 'PQ(exec|send|prepare|escape[LS])[A-Za-z]*\\(' \\
            $MNT::TOP/ngx_mntreamer_module`;
is(scalar @call, 1, 'one place sends statements') or diag @call;
like("@call", qr/PQsendQueryParams\(/, '... with parameters');

my @text = (
    "'; DROP TABLE streamer; --", "' OR '1'='1", '" OR ""="', "\\'; SELECT 1 --",
    '$1', '$mntreamer$', '$$; SELECT 1', "E'\\x27'", '{1,2}', '{"a","b"}', '{',
    '"}', '\\', '%', '_', '%s%n', "a\tb", '/*', '*/', '--', 'NULL', "''",
    "\x{2019}; DROP", "\x{ff07} OR 1", '(SELECT 1)', '1; SELECT pg_sleep(9)',
    "\x{2028}\x{2029}", '<script>alert(1)</script>', '</script><!-- & -->',
    "line\r\nSet-Cookie: a=b", "2\n2026/11/21 00:00:00 [alert] 1#1: forged",
    "\x{1b}[2J\x{7}bell", "\x{85}\x{9b}31m", '한국어 제목', '😀' x 20,
    'x' x 3000, "e\x{301}", "\x{202e}gpj", '${jndi:x}', '`id`',
);

my $m = MNT->new(workers => 2, mntreamer => 'poll_rate 300r/s;');
my @id = map {
    $m->channel("i$_", live => 1, dur => 1, size => 2000, window => 20,
                title => $text[$_], category => $text[$_])
} 0 .. $#text;
$m->start;
$m->up;
$m->call(POST => '/api/v1/streamers', { items => [
    map { { platform => 'chzzk', channel => $_ } } @id ] });

# of the platform: titles and categories

my $all = sub { @{ $m->json('/api/v1/recordings?limit=100')->{items} } };
wait_for(sub { (grep { $_->{segments} >= 1 } $all->()) == @text },
         'all are recorded', 40);
my %r = map { $_->{channel_id} => $_ } $all->();
my @off = grep { ($r{ $id[$_] }{title} // '') ne $text[$_] } 0 .. $#text;
is(join(' ', map { encode('UTF-8', $text[$_]) } grep { length $text[$_] < 3000 }
        @off), '', 'titles are what they were');

# of people: nicknames, searches, channels

my %s = map { $_->{channel_id} => $_->{id} }
    @{ $m->json('/api/v1/streamers?limit=100')->{items} };
my (@status, @nick);
for my $i (0 .. $#text) {
    my $r = $m->call(PATCH => "/api/v1/streamers/$s{$id[$i]}",
                     { nickname => $text[$i] });
    push @status, $r->{status};
    push @nick, encode('UTF-8', $text[$i])
        if $r->{status} == 200 && $r->{json}{nickname} ne $text[$i];
}
is(join(' ', grep { $_ != 200 && $_ != 400 } @status), '', 'nicknames: ok or no');
is("@nick", '', '... and stored as they are');
cmp_ok(scalar(grep { $_ == 200 } @status), '>', 20, '... most of them');

sub escaped {
    my ($text) = @_;
    return join '', map { sprintf '%%%02x', $_ } unpack 'C*', encode('UTF-8', $text);
}

my (%wrong, %found);
for my $text (grep { length $_ < 200 } @text) {
    for my $p ('recordings?q=', 'recordings?channel_id=', 'recordings?platform=',
               'recordings?status=', 'recordings?since=', 'recordings?after=',
               'recordings?limit=', 'streamers?platform=', 'streamers?monitored=',
               'streamers?after=', 'recordings/', 'streamers/')
    {
        my $r = $m->get("/api/v1/$p" . escaped($text));
        $wrong{"$p $r->{status}"}++ unless $r->{status} =~ /^(?:200|400|404)$/;
        next unless $p =~ /q=$/ && $r->{status} == 200;
        my $n = @{ decode_json($r->{content})->{items} };
        $found{ encode('UTF-8', $text) } = $n
            if $n != grep { index(lc $_, lc $text) >= 0 } @text;
    }
}
is_deeply(\%wrong, {}, 'in every parameter: an answer or a refusal');
is_deeply(\%found, {}, 'a search finds that text and no other');
is($m->one('SELECT count(*) FROM streamer'), scalar @text, 'no row was touched');

for my $p ('recordings?q=', 'recordings?channel_id=', 'streamers?platform=') {
    for my $bad ('%00', 'a%00b', '%ff', '%c0%af', '%ed%a0%80', '%f5%80%80%80') {
        is($m->get("/api/v1/$p$bad")->{status}, 400, "$p$bad: 400");
    }
}

# JSON that may stand in a page

for my $path ('recordings?limit=100', 'streamers?limit=100', 'live') {
    my $content = $m->get("/api/v1/$path")->{content};
    unlike($content, qr/[<>&]|\xe2\x80[\xa8\xa9]|[\x00-\x08\x0b-\x1f]/,
           "$path: neither markup nor control bytes");
}

# one answer with its own headers

my @to = ('/recordings/x%s.ts', '/recordings/%s/000001.ts', '/api/v1/%s',
          '/api/v1/recordings?q=%s', '/api/v1/recordings?after=%s',
          '/api/v1/streamers/%s', '/metrics?%s', '/health?%s');
for my $to (@to) {
    for my $crlf ('%0d%0aX-Mine:%20yes%0d%0a%0d%0a<b>', '%0aX-Mine:yes',
                  '%E5%98%8A%E5%98%8DX-Mine:yes')
    {
        my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', Timeout => 5,
                                      PeerPort => $m->{port}) or die $!;
        print $s "GET ", sprintf($to, $crlf), " HTTP/1.1\r\nHost: x\r\n",
            "Origin: http://x%0d%0aX-Mine: y\r\nConnection: close\r\n\r\n";
        local $/;
        my ($head) = split /\r\n\r\n/, <$s> // '';
        ok($head =~ m{^HTTP/1\.1 [2-5]} && $head !~ /^X-Mine/mi,
           "$to: no header comes in") or diag $head;
    }
}

# nor a line into the log

ok($m->stop, 'nginx ends by itself');
my @line = split /\n/, $m->log;
is(join("\n", grep { !m{^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[} } @line), '',
   'each line of the log is nginx\'s own');
is(scalar(grep { /\[alert\]/ && !/forged/ } @line), 0, 'none of them forged');
is(scalar(grep { /[\x00-\x08\x0b-\x1f\x7f]/ } @line), 0, 'no control bytes');
cmp_ok((sort { $b <=> $a } map { length } @line)[0], '<', 1024,
       'none is longer than 1 kB');
$m->{allow_log} = qr/forged/;
$m->finish;
