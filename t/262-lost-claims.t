use strict;
use warnings;
use lib 't/lib';
use MNT;
use IO::Socket::INET;
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

# RELIABILITY B1, B9: a claim was carried out and its answer was lost with the
# connection, or a database came back that remembers one nobody knows of. The
# streamer is not held until that lease is over, three quarters of a minute
# later: the engine in whose name it stands gives it back when it returns. What it
# knows of it keeps: what is recorded, and what is just being asked about.

my $m = MNT->new(workers => 2, backoff => '1h', mntreamer => 'lease 40s; refresh 1s;');
my ($at, $control) = ("$m->{dir}/between", free_port());
mkdir $at;
chmod 0755, $at;
my $proxy = fork // die;
if (!$proxy) {
    exec '/usr/bin/python3', 't/lib/proxy.py', '--listen', "$at/.s.PGSQL.5432", '--to',
        "$m->{pg}/.s.PGSQL.5432", '--control', $control, '--parent', $$;
}
wait_for(sub { -S "$at/.s.PGSQL.5432" }, 'the way to the database');

sub way {
    my (%how) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $control) or die $!;
    print $s encode_json(\%how), "\n";
    return decode_json(scalar <$s>);
}

($m->{raw_config} = $m->config) =~ s/host=\S+/host=$at/ or die;
$m->start;
$m->up;

sub monitor {
    my ($name) = @_;
    my @v = @{ $m->psql("SELECT m.streamer_id, coalesce(owner, 0), m.epoch, last_outcome,
        coalesce(r.segments, 0), coalesce(r.id, 0), coalesce(lease_until > now(), false)
        FROM streamer_monitor m JOIN streamer s ON s.id = m.streamer_id
        LEFT JOIN media_record r ON r.streamer_id = s.id AND r.status = 'recording'
        WHERE s.channel_id = '" . $m->channel($name) . "'")->[0] };
    my %r;
    @r{qw(id owner epoch outcome segments recording held)} = @v;
    return \%r;
}

sub due {
    my ($name) = @_;
    $m->psql('UPDATE streamer_monitor SET check_at = now() WHERE streamer_id = '
             . monitor($name)->{id} . "; NOTIFY mntreamer, 'due'");
}

# half of the time that a claim is held
my $SOON = 20;

for (qw(mu nu xi)) {
    my $name = $_;
    $m->channel($name, dur => 0.3, window => 40);
    $m->watch($name);
    wait_for(sub { (monitor($name)->{outcome} // '') eq 'offline' && !monitor($name)->{owner} },
             "$name is off the air");
}

# 1. of one that is due

my $id = $m->channel('nu', live => 1);
way(lose => $id);
due('nu');
wait_for(sub { way()->{resets} == 1 }, 'the answer to a claim is lost', 5);
ok(monitor('nu')->{owner}, 'it was carried out');
wait_for(sub { monitor('nu')->{segments} >= 2 }, 'and it is recorded all the same', $SOON);
like($m->log, qr/1 streamers were claimed in our name/, 'the log says so');

# 2. of a recording whose worker was killed

my $was = monitor('nu');
my ($pid) = map { $_->[0] } @{ $m->psql("SELECT pid FROM engine WHERE id = $was->{owner}") };
way(lose => $id);
kill 'KILL', $pid;
wait_for(sub { way()->{resets} == 2 }, 'the answer to one that takes over is lost', 10);
my $n = monitor('nu')->{segments};
wait_for(sub { monitor('nu')->{segments} > $n + 4 }, 'the recording goes on', $SOON);
is(monitor('nu')->{recording}, $was->{recording}, 'the same one');
is($m->one('SELECT count(*) FROM media_gap'), 0, 'without a gap');

# 3. connections are lost while one is recorded and another one is asked about

wait_for(sub { 2 == $m->one("SELECT count(DISTINCT pid) FROM engine
                             WHERE seen_at > now() - interval '1 minute'
                             AND pid = ANY (ARRAY[" . join(',', $m->workers_of) . "])") },
         'two engines', 15);
sub asked { scalar grep { $_->{path} =~ /live-status/ && $_->{path} =~ $_[0] } @{ $m->served } }
my $xi = $m->channel('xi');
my $asked = asked($xi);
$m->fault(match => "$xi/live-status", times => 1, delay => 4);
due('xi');
wait_for(sub { monitor('xi')->{owner} }, 'one is asked about');
my @before = (monitor('nu')->{epoch}, monitor('xi')->{epoch});
way(drop => JSON::PP::true);
wait_for(sub { my $l = $m->log; 6 <= (() = $l =~ /engine \d+ is up/g) }, 'both came back', 10);
ok(monitor('xi')->{owner}, 'it still is');
wait_for(sub { !monitor('xi')->{owner} }, 'until it is answered', 10);
is_deeply([monitor('nu')->{epoch}, monitor('xi')->{epoch}], \@before, 'nobody took them');
is(asked($xi), $asked + 1, 'it was asked about once');

# 4. the database came back with a claim of ours that we forgot; and with one of a
# recording that ended since

my ($engine) = map { $_->[0] } @{ $m->psql("SELECT owner FROM streamer_monitor
                                            WHERE streamer_id = $was->{id}") };
$m->channel('mu', live => 1);
my $mu = monitor('mu')->{id};
$m->psql("UPDATE streamer_monitor SET owner = $engine, epoch = epoch + 1,
          lease_until = now() + interval '1 hour', check_at = now() + interval '1 hour'
          WHERE streamer_id = $mu");
way(drop => JSON::PP::true);
wait_for(sub { monitor('mu')->{segments} >= 2 }, 'what it remembers wrongly is recorded', $SOON);
is(monitor('nu')->{epoch}, $before[0], 'what is recorded stays where it is');

$m->channel('mu', live => 0, stall => 1, endlist => 1);
wait_for(sub { $m->one("SELECT status FROM media_record WHERE streamer_id = $mu") eq 'recorded' },
         'that one ends', 30);
$m->psql("UPDATE media_record SET status = 'recording', ended_at = NULL WHERE streamer_id = $mu;
          UPDATE streamer_monitor SET owner = $engine, epoch = epoch + 1,
          lease_until = now() + interval '1 hour', check_at = 'infinity'
          WHERE streamer_id = $mu");
way(drop => JSON::PP::true);
wait_for(sub { $m->one("SELECT status FROM media_record WHERE streamer_id = $mu") eq 'recorded' },
         'one that it takes for running ends again', $SOON + 10);

# 5. it is told too late, on a connection that stands: a lock

$m->channel('xi', live => 1);
my $lock = fork // die;
if (!$lock) {
    $m->psql("BEGIN; LOCK TABLE streamer_monitor IN ACCESS EXCLUSIVE MODE;
              UPDATE streamer_monitor SET check_at = now() WHERE streamer_id = "
             . monitor('xi')->{id} . "; SELECT pg_sleep(7); COMMIT; NOTIFY mntreamer, 'due'");
    require POSIX;
    POSIX::_exit(0);
}
waitpid $lock, 0;
wait_for(sub { monitor('xi')->{segments} >= 2 }, 'a claim that came too late is no loss', $SOON);

my ($r) = grep { $_->{channel_name} eq 'nu' } @{ $m->recordings };
my @e = playlist_entries($m->playlist($r));
my %made = map { sha256_of($m->segment('nu', '1080p60', $_)) => $_ } 0 .. 400;
my @k = map { $made{ sha256_of(slurp("$m->{storage}/" . $m->one(
    "SELECT path FROM media_record WHERE id = $r->{id}") . "/$_->{uri}")) } // 'x' } @e;
is("@k", join(' ', $k[0] .. $k[0] + $#k), 'every segment once, in order');

ok($m->stop, 'nginx ends');
kill 'TERM', $proxy;
waitpid $proxy, 0;
$m->{allow_log} = qr{exited on signal 9};
$m->finish;
