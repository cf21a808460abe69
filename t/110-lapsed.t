use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# A claim moves check_at to the next step of the ladder: a result that changes
# nothing leaves it there, any other one moves it, and a claim whose owner is lost
# with its machine, or was dropped, is due again soon although check_at is far.

my $m = MNT->new(workers => 1, backoff => '1h');
$m->channel('quiet');
$m->start;
$m->up;
$m->watch('quiet');

my $row = sub {
    my @v = @{ $m->psql("SELECT coalesce(owner, 0), epoch,
        round(extract(epoch FROM check_at - now())),
        round(extract(epoch FROM now() - last_at)), last_outcome,
        check_at FROM streamer_monitor")->[0] };
    return { owner => $v[0], epoch => $v[1], in => $v[2], age => $v[3],
             outcome => $v[4], at => $v[5] };
};
my $asked = sub {
    scalar grep { $_->{path} =~ m{/live-status} } @{ $m->served };
};

wait_for(sub { ($row->()->{outcome} // '') eq 'offline' }, 'it is off the air');
my $r = $row->();
cmp_ok($r->{in}, '>', 3200, 'and asked about again in an hour');

# while it is asked about it is planned already; the result leaves that alone

$m->fault(match => 'live-status', times => 1, delay => 2);
$m->psql("UPDATE streamer_monitor SET check_at = now(); NOTIFY mntreamer, 'due'");
wait_for(sub { $row->()->{owner} }, 'it is claimed');
my $planned = $row->();
cmp_ok($planned->{in}, '>', 3200, 'the claim plans an hour');
cmp_ok($planned->{epoch}, '>', $r->{epoch}, 'under a new epoch');
wait_for(sub { !$row->()->{owner} }, 'it is answered');
is($row->()->{at}, $planned->{at}, 'which leaves the plan as it is');
wait_for(sub { $m->one("SELECT n_tup_hot_upd FROM pg_stat_user_tables
                        WHERE relname = 'streamer_monitor'") },
         'and the indexes', 15);

# an error that may be over soon is no step of the ladder

$m->fault(match => 'live-status', times => 1, status => 503);
$m->psql("UPDATE streamer_monitor SET check_at = now(), miss_count = 70;
          NOTIFY mntreamer, 'due'");
wait_for(sub { ($row->()->{outcome} // '') eq 'transient-error' }, 'a 503');
ok($row->()->{at} ne $planned->{at}, 'is planned anew');

# a lease that nobody renews and nobody told about: of a lost machine

my $n = $asked->();
$m->psql("UPDATE streamer_monitor SET owner = 999999,
          lease_until = now() + interval '1 hour'");
sleep 12;                              # longer than engines look for such
is($row->()->{owner}, 999999, 'a lease that is valid is left alone');
is($asked->(), $n, '... and nothing is asked');

$m->psql("UPDATE streamer_monitor SET lease_until = now() - interval '1 second',
          last_at = now() - interval '1 hour'");
cmp_ok($row->()->{age}, '>', 3500, 'what is told about the last probe is old');
wait_for(sub { $asked->() > $n }, 'when it has expired it is asked about', 25);
wait_for(sub { $row->()->{outcome} eq 'offline' }, 'and told about');
is($row->()->{owner}, 0, 'by an owner who gave it back');
cmp_ok($row->()->{age}, '<', 60, 'just now');
like($m->log, qr/were claimed and not told about/, 'the log says so');

$m->finish;
