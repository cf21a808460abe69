use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;
use Time::HiRes qw(time sleep);

# U3: reload, quit and start, and SIGKILL of a worker lose no segment while the
# source lists three segments of two seconds.

my $m = MNT->new(workers => 2, mntreamer => 'poll_rate 100r/s; drain_timeout 3s;');
my @name = map { "h$_" } 1 .. 4;
$m->channel($_, live => 1, dur => 2, window => 3, target => 2) for @name;
$m->start;
$m->up;
$m->watch($_) for @name;

my $all = sub { @{ $m->json('/api/v1/recordings?limit=100')->{items} } };

wait_for(sub { (grep { $_->{segments} >= 3 } $all->()) == 4 }, 'four record', 20);

for my $round (1 .. 3) {
    my @old = $m->workers_of;
    my %n = map { $_->{id} => $_->{segments} } $all->();
    $m->reload;
    my $t0 = time;
    wait_for(sub {
        my %now = map { $_ => 1 } $m->workers_of;
        !grep { $now{$_} } @old
    }, "reload $round: the old workers leave", 15);
    cmp_ok(time - $t0, '<', 6 * $MNT::PATIENCE, 'within 6 s');
    wait_for(sub { (grep { $_->{segments} >= $n{ $_->{id} } + 3 } $all->()) == 4 },
             'and all go on', 20);
}

for my $round (1 .. 3) {
    my %n = map { $_->{id} => $_->{segments} } $all->();
    my ($w) = $m->workers_of;
    kill 'KILL', $w;
    wait_for(sub { (grep { $_->{segments} >= $n{ $_->{id} } + 3 } $all->()) == 4 },
             "SIGKILL $round: all go on", 20);
}

my %n = map { $_->{id} => $_->{segments} } $all->();
ok($m->stop, 'quit');
$m->start;
wait_for(sub { (grep { $_->{segments} >= $n{ $_->{id} } + 3 } $all->()) == 4 },
         'and start: all go on', 20);

for my $r ($all->()) {
    is($r->{gaps}, 0, "$r->{channel_name}: no gap")
        or diag explain $m->recording($r->{id})->{gap_list};
    my @e = playlist_entries($m->playlist($r));
    my ($base) = $r->{url} =~ m{^(.*/)};
    my %made = map {
        sha256_of($m->segment($r->{channel_name}, '1080p60', $_)) => $_
    } 0 .. @e + 10;
    my @k = map { $made{ sha256_of($m->get($base . $_->{uri})->{content}) } } @e;
    is("@{[ map { $_ // 'x' } @k ]}", join(' ', $k[0] .. $k[0] + $#e),
       "$r->{channel_name}: every segment, once, in order");
}

is(scalar($all->()), 4, 'still four recordings');
$m->{allow_log} = qr/exited on signal 9/;
$m->finish;
