use strict;
use warnings;
use utf8;
use lib 't/lib';
use MNT;
use Test::More;
use Time::HiRes qw(sleep time);

# MON-01 and the catalogue: what is added is due at once, a change of the API acts
# at once (LISTEN/NOTIFY, whatever the ladder says), DELETE stops and keeps what
# was recorded.  (Forms, errors and simultaneous requests: 401-api.t.)  Two systems
# that begin with one empty database make its tables once.

my $m = MNT->new(workers => 2, backoff => '1h',
                 mntreamer => 'poll_rate 200r/s; lease 60s;');
my $other = MNT->new(workers => 2);

for ([$m, 'first'], [$other, 'second']) {
    my ($system, $node) = @$_;
    my $conf = $m->config;
    $conf =~ s/node +test-[^;]+;/node $node;/;
    $conf =~ s/$m->{port}/$system->{port}/g;
    $conf =~ s/\Q$m->{dir}\E/$system->{dir}/g;
    $system->{raw_config} = $conf;
    $system->write_config;
}
my @pid = map {
    my $pid = fork // die $!;
    if (!$pid) { POSIX::_exit($_->nginx) }
    $pid;
} $m, $other;
waitpid $_, 0 for @pid;
$_->{running} = 1 for $m, $other;
$m->up;
$other->up;
is($m->one("SELECT count(*) FROM pg_tables WHERE tablename = 'streamer'"), 1,
   'two systems made the tables once');
my @sql = glob "$MNT::TOP/conf/sql/*.sql";
is($m->one('SELECT count(*) FROM schema_migration'), scalar @sql,
   'each migration was applied');
unlike($m->log . $other->log, qr/\[(?:emerg|crit|error)\]/, 'without an error');
ok($other->stop, 'one ends');
$other->check_log;

my $asked = sub {
    my ($id) = @_;
    return scalar grep { $_->{path} =~ m{channels/$id/live-status} }
        @{ $m->served };
};

my $id = $m->channel('새 채널');
my $t0 = time;
my $s = $m->call(POST => '/api/v1/streamers',
                 { platform => '치지직', channel => '새 채널' })->{json};
is($s->{channel_id}, $id, 'a nickname became an id');
is($s->{channel_name}, '새 채널', 'and a name');
wait_for(sub { $asked->($id) == 1 }, 'it is asked about at once', 3);
cmp_ok(time - $t0, '<', 2.5 * $MNT::PATIENCE, 'not when the ladder says');

# a second POST asks again only for what is due

wait_for(sub { ($m->streamers->[0]{next_check_at} // '') gt
               ($m->streamers->[0]{last_probe}{at} // '~') },
         'the next time is after it');

# on the air an hour before the ladder would tell: paused and watched again

my $path = "/api/v1/streamers/$s->{id}";
$m->channel('새 채널', live => 1, dur => 0.5);
$m->call(PATCH => $path, { monitored => \0 });
$m->call(PATCH => $path, { monitored => \1 });
my $r = wait_for(sub {
    my ($r) = @{ $m->recordings };
    $r && $r->{segments} >= 3 && $r
}, 'watched again it is recorded at once', 8);

$m->call(PATCH => $path, { monitored => \0 });
wait_for(sub { $m->recording($r->{id})->{status} eq 'recorded' },
         'paused, its recording is closed at once', 6);
like($m->playlist($r), qr/^#EXT-X-ENDLIST\n\z/m, 'with ENDLIST');

$m->call(PATCH => $path, { monitored => \1 });
wait_for(sub { grep { $_->{status} eq 'recording' && $_->{segments} }
                   @{ $m->recordings } }, 'watched again', 8);
is($m->call(DELETE => $path)->{status}, 204, 'deleted');
wait_for(sub { !grep { $_->{status} eq 'recording' } @{ $m->recordings } },
         'nothing is recorded any more', 6);
is($m->call(GET => $path)->{status}, 404, 'it is gone');
is($m->one('SELECT count(*) FROM streamer_monitor'), 0, 'so is its watch');
ok(@{ $m->recordings } >= 1, 'the recordings stay');
for (@{ $m->recordings }) {
    is($_->{streamer_id}, undef, 'of nobody now');
    is($_->{channel_name}, '새 채널', 'but with their name');
    like($m->playlist($_), qr/^#EXT-X-ENDLIST\n\z/m, 'closed');
}
my $n = $asked->($id);
sleep 1;
is($asked->($id), $n, 'nobody asks about it any more');

$other->cleanup;
$m->finish;
