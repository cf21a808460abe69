use strict;
use warnings;
use lib 't/lib';
use MNT;
use Players;
use Test::More;
use Time::HiRes qw(time sleep);

# U5: machines that share the database are added up; what one told that was lost
# counts no longer.  While the database is away counting goes on, and nothing of
# what was watched is lost.  Workers killed with the lock, or with a report, neither
# stop the counting nor count anything twice.

# places of death, told to the workers of the one by a file that they map

my $inject = "$MNT::TOP/build/inject/ngx_mntreamer_module.so";
my $there = -e $inject && !$ENV{MNT_SAN};
$MNT::MODULE = $inject if $there;

my $m = MNT->new(workers => 2, own_pg => 1, main => 'env MNT_INJECT_FILE;',
                 mntreamer => 'poll_rate 200r/s;');
$m->channel('both', live => 1, dur => 1);

my $inject_file = "$m->{dir}/inject";
spew($inject_file, "\0" x 64);
chmod 0666, $inject_file;
$ENV{MNT_INJECT_FILE} = $inject_file;

$m->start;
$m->up;
$m->watch('both');
my $of = sub { $m->recordings->[0] };
my $r = wait_for(sub { my $r = $of->(); $r && $r->{segments} >= 3 && $r },
                 'it records', 20);

# another nginx of the same storage, which records nothing itself

my $o = MNT->new(workers => 2, pg => $m->{pg}, storage => $m->{storage});
$o->{block} = <<"END";
mntreamer {
    database "host=$m->{pg} user=postgres dbname=$m->{db}";
    storage $m->{storage};
    fetch_allow 127.0.0.0/8;
    node other;
}
END
$o->start;
$o->up;

my $n = sub { $of->()->{watching} };
my $p = Players->new($m, 6, url => $r->{url});
wait_for(sub { $n->() == 6 }, 'six');

# killed anywhere

SKIP: {
    skip 'no build with places of death', 1 if !$there;
    for my $place ('viewers_locked', 'viewers_changed', 'viewers_counted',
                   'viewers_told')
    {
        my @old = $m->workers_of;
        open my $fh, '+<', $inject_file or die $!;
        syswrite $fh, pack('Q<Z*', 1, $place);
        close $fh;
        wait_for(sub { unpack('Q<', slurp($inject_file)) == 0 },
                 "a worker dies: $place", 10);
        wait_for(sub {
            my %now = map { $_ => 1 } $m->workers_of;
            keys %now == 2 && grep { !$now{$_} } @old
        }, 'another one comes', 10);
        sleep 2.5;
        is(eval { $n->() } // eval { $n->() }, 6, 'six still');
    }
}
is($m->one('SELECT count(*) FROM media_watching'), 1, 'told in one row');

# the database is away for longer than a viewer stays

my $wt = $m->one('SELECT watched_ms FROM media_watching');
my $t0 = time;
MNT::pg_stop($m->{pg}, 'immediate');
sleep 14;
MNT::pg_start($m->{pg});
wait_for(sub { $n->() == 6 }, 'six when it is back', 20);
wait_for(sub { $m->one('SELECT watched_ms FROM media_watching')
               > $wt + 6 * 14_000 * 0.9 }, 'who watched all the time', 15);
my $most = $m->one('SELECT watched_ms FROM media_watching') - $wt;
cmp_ok($most, '<', 6 * 1000 * (time - $t0 + 12), 'and no longer');

# two of them

my $q = Players->new($o, 4, url => $r->{url}, net => 2);
wait_for(sub { $n->() == 10 }, 'nodes are added up');
is($o->recordings->[0]{watching}, 10, 'whoever is asked');
is($m->json('/api/v1/live')->{items}[0]{watching}, 10, 'in the other list, too');
is($m->metric('mntreamer_viewers'), 6, 'the metric is of one node');
wait_for(sub { $of->()->{watching_peak} == 10 }, 'so is the peak', 15);

my $had = $of->()->{watch_time};
$o->crash;
my $crash = time;
$q->stop;
wait_for(sub { $n->() == 6 }, 'one that is not heard of counts no longer', 35);
cmp_ok(time - $crash, '>', 15, 'but it might have come back');
cmp_ok($of->()->{watch_time}, '>=', $had, 'what was watched there stays');

$p->stop;
wait_for(sub { $n->() == 0 }, 'all leave', 20);
sleep 11;
my $time = $of->()->{watch_time};
sleep 3;
is($of->()->{watch_time}, $time, 'then nothing more is watched');
is($m->one('SELECT count(*) FROM media_watching'), 2, 'two rows in all');

# what is told late, or twice, changes nothing: the statement itself

my ($sql) = slurp("$MNT::TOP/ngx_mntreamer_module/catalog/"
    . 'ngx_mntreamer_catalog_api.c') =~ /\{ "watched",\s*(.*?), 6, 0 \}/s;
$sql =~ s/NGX_MNTREAMER_CATALOG_LAZY/"(SELECT 1) lazy"/;
$sql = join '', $sql =~ /"([^"]*)"/g;
my $path = $m->one("SELECT path FROM media_record WHERE id = $r->{id}");
my $tell = sub {
    my ($turn, $viewers, $ms, $of) = @_;
    $of //= $path;
    $m->psql("PREPARE w AS $sql; EXECUTE w ('late', $turn, ARRAY['$of'],"
             . " ARRAY[5], ARRAY[$viewers], ARRAY[$ms])");
    return join ' ', @{ $m->psql('SELECT turn, viewers, peak, watched_ms FROM'
        . " media_watching WHERE node = 'late'")->[0] // [] };
};
is($tell->(7, 4, 1000, 'nowhere'), '', 'of a recording that there is not');
is($tell->(7, 4, 1000), '7 4 4 1000', 'told');
is($tell->(7, 4, 1000), '7 4 4 1000', 'told twice');
is($tell->(6, 9, 9000), '7 4 4 1000', 'overtaken');
is($tell->(8, 3, 2000), '8 3 4 2000', 'fewer, the peak stays');
is($of->()->{watch_time}, sprintf('%.3f', $time + 2) + 0, 'added up');
$m->psql("UPDATE media_record SET status = 'recorded', streamer_id = NULL,
          ended_at = now() - interval '30 seconds' WHERE id = $r->{id}");
is($tell->(9, 0, 3000), '9 0 4 3000', 'what came before its end is told behind it');
$m->psql("UPDATE media_record SET ended_at = now() - interval '2 minutes'
          WHERE id = $r->{id}");
is($tell->(10, 0, 4000), '9 0 4 3000', 'but not for ever');
$_->{allow_log} = qr/exited on signal 9|"mntreamer_viewers" was locked by/
    for $m, $o;
$o->check_log;
$o->cleanup;
$m->finish;
