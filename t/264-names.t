use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;
use Time::HiRes qw(sleep time);

# RELIABILITY N1, B3: names are not found, or nobody says for half a minute. Nothing
# of the worker waits for that: what is recorded from elsewhere goes on, requests are
# answered, the worker can leave; what was recorded from there goes on behind it.

plan skip_all => 'a sanitizer is preloaded already' if $ENV{MNT_SAN};

my $m = MNT->new(workers => 1, mntreamer => 'poll_rate 100r/s; connect_timeout 2s;'
                 . ' playlist_timeout 3s; probe_timeout 3s;');
my @hosts = map { "hang$_.test" } 1 .. 10;
my $names = "$m->{dir}/names";
sub names {
    my (%is) = @_;
    spew("$names.new", join '', map { "$_ $is{$_}\n" } sort keys %is);
    chmod 0644, "$names.new";
    rename "$names.new", $names or die $!;
}
names('media.test' => '127.0.0.1', map { $_ => 'slow' } @hosts);
ok(MNT::quiet('cc', '-shared', '-fPIC', '-O1', '-o', "$m->{dir}/faults.so",
              "$MNT::TOP/t/figures/faults_preload.c", '-ldl'), 'names as we want them');

my $id = $m->channel('named', live => 1, dur => 0.5, window => 80,
                     media_host => "http://media.test:$m->{origin_port}");
$m->channel('plain', live => 1, dur => 0.5, window => 80);
{
    local $ENV{LD_PRELOAD} = "$m->{dir}/faults.so";
    local $ENV{FAULTS_NAMES} = $names;
    $m->start;
}
$m->up;
$m->watch($_) for qw(named plain);

sub row { my ($r) = grep { $_->{channel_name} eq $_[0] } @{ $m->recordings }; return $r }
wait_for(sub { 2 == grep { $_->{segments} >= 3 } @{ $m->recordings } }, 'both are recorded');

# others whose names nobody tells of are asked about all the time

for my $host (@hosts) {
    my $r = $m->call(POST => '/api/v1/streamers', { platform => 'hls',
        channel => "http://$host:$m->{origin_port}/hls/x/media/720p30.m3u8" });
    is($r->{status}, 201, "$host is watched");
}

# a worker that has to look up anew what it takes over

for my $how ('slow', 'nx', 'again') {
    names('media.test' => $how, map { $_ => 'slow' } @hosts);
    my ($pid) = $m->workers_of;
    kill 'KILL', $pid;
    wait_for(sub { my ($w) = $m->workers_of; $w && $w != $pid && $m->get('/health')->{status} == 200 },
             "$how: another worker");
    my %n = map { $_ => row($_)->{segments} } qw(named plain);

    my ($worst, $end) = (0, time + 7);
    while (time < $end) {
        my $t = time;
        $m->get('/api/v1/recordings');
        $worst = time - $t if time - $t > $worst;
        sleep 0.02;
    }
    cmp_ok($worst, '<', 1.5, sprintf '%s: answers take %.0f ms at most', $how, 1000 * $worst);
    my ($worker) = $m->workers_of;
    my ($threads) = slurp("/proc/$worker/status") =~ /^Threads:\s+(\d+)/m;
    cmp_ok($threads, '<', 300, "$how: $threads threads");
    cmp_ok(row('plain')->{segments}, '>', $n{plain} + 6, "$how: what has an address goes on");
    cmp_ok(row('named')->{segments}, '<', $n{named} + 4, "$how: what has a name waits");

    names('media.test' => '127.0.0.1', map { $_ => 'slow' } @hosts);
    wait_for(sub { row('named')->{segments} > $n{named} + 15 }, "$how: and goes on", 30);
}
is($m->one('SELECT count(*) FROM media_record'), 2, 'two recordings');
is($m->one('SELECT count(*) FROM media_gap'), 0, 'the window was long enough: no gap');
my @e = playlist_entries($m->playlist(row('named')));
my %made = map { sha256_of($m->segment('named', '1080p60', $_)) => $_ } 0 .. 300;
my ($dir) = row('named')->{url} =~ m{^/recordings/(.*)/index\.m3u8$};
my @k = map { $made{ sha256_of(slurp("$m->{storage}/$dir/$_->{uri}")) } // 'x' } @e;
is("@k", join(' ', $k[0] .. $k[0] + $#k), 'every segment once, in order');
wait_for(sub { $m->one("SELECT count(*) FROM streamer_monitor WHERE last_outcome = 'transient-error'"
    . " AND last_reason IN ('timeout', 'resolve')") >= @hosts }, 'the others are not off the air');

my $t = time;
ok($m->stop, 'the worker leaves');
cmp_ok(time - $t, '<', 8, '... and waits for no name');
$m->{allow_log} = qr/exited on signal 9/;
$m->finish;
