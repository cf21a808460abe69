use strict;
use warnings;
use lib 't/lib';
use MNT;
use IO::Socket::INET;
use Test::More;

# RELIABILITY S39, OPS-04: cookies, tokens of addresses, the database's password and
# values of files and of the environment are in no log (at any level), no metric,
# no answer of the API, no statsd line and not in what "nginx -T" prints.

$ENV{MNT_TEST_DSN} = '';
my $udp = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Proto => 'udp')
    or die $!;

for my $from ('file', 'env') {
    my $m = MNT->new(own_pg => $from eq 'file', workers => 2);
    my $dsn = "host=$m->{pg} user=postgres dbname=$m->{db} "
        . 'password=secretPassword';
    spew("$m->{dir}/dsn", "$dsn\n");
    spew("$m->{dir}/cookies", "NID_AUT=secretCookie; NID_SES=secretSession\n");
    chmod 0600, "$m->{dir}/dsn", "$m->{dir}/cookies";
    $ENV{MNT_TEST_DSN} = $dsn;

    my $conf = $m->config;
    my $value = $from eq 'file' ? "file:$m->{dir}/dsn" : 'env:MNT_TEST_DSN';
    $conf =~ s/database\s+"[^"]+"/database $value/ or die;
    $conf =~ s/(platform chzzk \{)/$1 cookies $m->{dir}\/cookies;/ or die;
    $conf =~ s/(backoff_jitter 0;)/"$1 poll_rate 200r\/s; statsd 127.0.0.1:"
        . $udp->sockport . ";\n streamer hls http:\/\/127.0.0.1:"
        . "$m->{origin_port}\/hls\/cam\/media\/720p30.m3u8?key=secretKey;"/e
        or die;
    $conf =~ s/error\.log info/error.log debug/ if $from eq 'env';
    $m->{raw_config} = $conf;

    # all that tells: a token in every address, addresses that fail, media that
    # redirect, a key that is refused, a database that goes away

    $m->channel('lambda', live => 1, dur => 0.5, token => 600);
    $m->channel('mu', live => 1, dur => 0.5, token => 600, key => 'explicit');
    $m->channel('nu', live => 1, dur => 0.5, token => 600);
    $m->channel('cam', dur => 0.5, token => 600);
    $m->fault(match => '/hls/mu/key', status => 403, times => -1);
    $m->fault(match => '/hls/nu/media', status => 403, times => -1);
    $m->fault(match => '/hls/lambda/seg/\w+-0-5\.', times => -1,
              location => 'http://10.1.1.1/x.ts?hdnts=hmac=secretHop');
    $m->fault(match => '/hls/lambda/media', times => 2, skip => 8,
              body => '<html>secretBody</html>');
    $m->start;
    $m->up;
    $m->watch($_) for 'lambda', 'mu', 'nu';
    my $r = wait_for(sub {
        my ($r) = grep { $_->{channel_name} && $_->{channel_name} eq 'lambda' }
            @{ $m->recordings };
        $r && $r->{segments} >= 12 && $r
    }, "$from: it records in spite of all", 40);
    wait_for(sub { grep { $_->{channel_id} =~ /^http/ && $_->{segments} }
                       @{ $m->recordings } }, 'and the other platform');

    my %said = map { $_ => $m->get($_)->{content} }
        '/metrics', '/health', '/api/v1/streamers', '/api/v1/recordings',
        '/api/v1/live', "/api/v1/recordings/$r->{id}", $r->{url};
    $said{$_} = $m->call(POST => '/api/v1/streamers', $_)->{content}
        for '{"platform":"chzzk","channel":"no one"}', '{"url":"x"}';
    if ($from eq 'file') {
        MNT::pg_stop($m->{own_pg}, 'immediate');
        wait_for(sub { $m->get('/health')->{status} == 503 }, 'no database');
        $said{'503'} = $m->get('/api/v1/streamers')->{content};
        MNT::pg_start($m->{own_pg});
        wait_for(sub { $m->get('/health')->{status} == 200 }, 'back', 20);
    }

    $m->nginx('-T');
    $said{'nginx -T'} = slurp("$m->{dir}/logs/nginx.out");
    like($said{'nginx -T'}, qr/\Qdatabase $value\E/, 'nginx -T tells where it is');
    ok($m->stop, 'nginx ends by itself');
    $said{'the log'} = $m->log;
    cmp_ok(length $said{'the log'}, '>', 2000, 'there is a log');

    my @token = map { $_->{path} =~ /hmac=(\w+)/ ? $1 : () } @{ $m->served };
    cmp_ok(scalar @token, '>', 10, 'tokens were used');
    my %token = map { $_ => 1 } @token;
    cmp_ok(scalar(grep { ($_->{cookie} // '') =~ /secretCookie/ }
                  @{ $m->served }), '>', 0, 'and cookies');

    my $any = join '|', 'secretPassword', 'secretCookie', 'secretSession',
        'secretHop', 'secretBody', keys %token;
    for (sort keys %said) {
        my ($found) = ($said{$_} // '') =~ /^(.*(?:$any).*)$/m;
        is($found, undef, "$from: nothing secret in " . substr $_, 0, 50);
    }
    my ($key) = $said{'the log'} =~ /^(.*secretKey.*)$/m;
    is($key, undef, "$from: nor the query of a stream's address in the log");

    my @cmd = map { slurp("/proc/$_/cmdline") // '' } $m->workers_of;
    unlike("@cmd", qr/$any/, 'nor in a command line');
    $m->check_log;
    $m->cleanup;
}

$udp->blocking(0);
my ($got, $lines) = ('', 0);
while ($udp->recv(my $d, 65536)) { $got .= $d; $lines++ }
unlike($got, qr/secret|[0-9a-f]{32}/, 'nor in a line of statsd');

done_testing();
