use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;
use Time::HiRes qw(sleep);

# LIB-07, U11: "retention": what is too old, or too much, of all or of its streamer,
# goes, the oldest first, and nothing that is protected, in progress, or may still go
# on.  GET /api/v1/retention says beforehand what that is, and is right.  Two nginx of
# one storage delete no more than one.

my $m = MNT->new(workers => 2, mntreamer => 'resume_window 1s;');
my $id = $m->channel('one', live => 1, dur => 0.2, window => 20, target => 1);
$m->channel('live', live => 1, dur => 0.2, window => 20, target => 1);
$m->start;
$m->up;
my %s = map { $_ => $m->watch($_)->{id} } qw(one live);
wait_for(sub { 2 == grep { $_->{segments} >= 3 } @{ $m->recordings } }, 'two are recorded', 30);
$m->channel('one', live => 0, stall => 1, endlist => 1);
wait_for(sub { 1 == grep { $_->{status} eq 'recorded' } @{ $m->recordings } }, 'one is over', 30);
my %r = map { $_->{channel_name} => $_ } @{ $m->recordings };
my $base = "$m->{storage}/" . ($r{one}{url} =~ m{^/recordings/(.*)/})[0];

# the original is out of the way; the others are copies of it: name, days since its
# end, megabytes that its row tells, and what else is said of it

my $serial = 0;
my $make = sub {
    my ($name, $days, $mb, %o) = @_;
    my $n = ++$serial;
    my $of = $o{of} // 'NULL';
    my $protected = $o{protected} ? 'true' : 'false';
    my $status = $o{status} // 'recorded';
    MNT::quiet('cp', '-a', $base, "$base-$n");
    $m->psql("INSERT INTO media_record (streamer_id, platform, channel_id, channel_name, day,
            sequence, path, epoch, storage, status, started_at, ended_at, segments, bytes, protected)
          SELECT $of, platform, channel_id, '$name', day, 1000 + $n, path || '-$n', epoch,
            storage, '$status', now() - interval '100 days', now() - interval '$days days',
            segments, 1000000::bigint * $mb, $protected
            FROM media_record WHERE id = $r{one}{id}");
    return "$base-$n";
};
$m->psql("UPDATE media_record SET protected = true WHERE id = $r{one}{id}");

# nobody marks anything while this holds the lock of all storages

my $lock;
my $locked = sub { $m->one("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
                            AND classid = (hashtext('mntreamer_retention')::bigint & 4294967295)::oid") };
my $hold = sub {
    open $lock, '|-', "psql -X -q -h $m->{pg} -U postgres -d $m->{db} >/dev/null" or die $!;
    my $old = select $lock; $| = 1; select $old;
    print $lock "SELECT pg_advisory_lock(hashtext('mntreamer_retention'), hashtext(storage))"
        . " FROM (SELECT DISTINCT storage FROM media_record) s;\n";
    return wait_for(sub { $locked->() }, 'nothing is deleted for now', 10);
};
my $release = sub { close $lock; wait_for(sub { !$locked->() }, 'from now on it is', 10) };
my $rules = sub {
    my ($text) = @_;
    $m->{mntreamer} = "resume_window 1s; $text";
    $m->write_config;
    my %old = map { $_ => 1 } $m->workers_of;
    $m->reload;
    wait_for(sub { my @w = $m->workers_of; @w == 2 && !grep { $old{$_} } @w }, "rules: $text", 20);
    return $m->up;
};
my $plan = sub { my ($w, $query) = @_; return $w->json('/api/v1/retention' . ($query // '')) };
my $told = sub { join ' ', map { "$_->{recording}{channel_name}:$_->{why}" } @{ $plan->(@_)->{items} } };
my $done = sub {
    join ' ', map { "$_->[0]:$_->[1]" } @{ $m->psql("SELECT channel_name, deleted_why FROM media_record
        WHERE status = 'deleted' AND deleted_at IS NOT NULL AND channel_name LIKE '$_[0]%'
        ORDER BY ended_at, id") };
};
my $left = sub { join ' ', map { $_->[0] } @{ $m->psql("SELECT channel_name FROM media_record
        WHERE status <> 'deleted' AND channel_name LIKE '$_[0]%' ORDER BY channel_name") } };
my $forget = sub { $m->psql("DELETE FROM media_record WHERE channel_name LIKE '$_[0]%'") };

# said and done: what is told beforehand, and what has become of it

my $check = sub {
    my ($text, $prefix, $want, $stay, $bytes) = @_;
    $rules->($text);
    is($told->($m), $want, '... this would go');
    my $p = $plan->($m);
    is("$p->{recordings} $p->{bytes}", (scalar split / /, $want) . " $bytes", '... so many, so much');
    is($left->($prefix), join(' ', sort((split / /, $stay), map { s/:.*//r } split / /, $want)), 'nothing has gone by that');
    $release->();
    $rules->($text);
    wait_for(sub { $done->($prefix) eq $want }, 'and this goes', 20) or diag $done->($prefix);
    is($left->($prefix), $stay, 'the others stay');
    is($told->($m), '', 'then there is nothing more to go');
    my @lines = $m->log =~ /\[notice\].*(recording \d+ was (?:deleted|put into the trash) for its age|by a rule of (?:size|number))/g;
    ok(scalar @lines, 'lines say why');
    $hold->();
};

# none

is_deeply($plan->($m), { rules => { age => undef, size => undef, count => undef }, trash => 0,
                         recordings => 0, bytes => 0, items => [] }, 'without rules nothing goes');
$hold->();

# by age: a9 is young; a8 is protected; a7 of a streamer without a limit

is($m->call(PATCH => "/api/v1/streamers/$s{live}", { retention => { age => 0 } })->{json}{retention}{age},
   0, 'one streamer keeps all');
my @d = ($make->('a1', 50, 1), $make->('a2', 40, 1, status => 'done'), $make->('a3', 39, 1, of => $s{live}),
         $make->('a4', 38, 1, protected => 1), $make->('a5', 20, 1));
$check->('retention age=30d;', 'a', 'a1:age a2:age', 'a3 a4 a5', 2000000);
wait_for(sub { !-e $d[0] && !-e $d[1] }, 'their files go', 10);
is(scalar(grep { -e "$_/index.m3u8" } @d[2 .. 4]), 3, 'those of others do not');
is($told->($m, '?limit=1'), '', 'none now');
$forget->('a');

# by size: what counts is what may go, and what is in progress; not what is protected

$m->call(PATCH => "/api/v1/streamers/$s{live}", { retention => undef });
$make->("b$_", 100 - $_, 100) for 1 .. 5;
$make->('b6', 94, 5000, protected => 1);
my $live = $m->one("SELECT bytes FROM media_record WHERE id = $r{live}{id}");
cmp_ok($live, '<', 40_000_000, 'the one in progress is not large');
$check->('retention size=335m;', 'b', 'b1:size b2:size', 'b3 b4 b5 b6', 200000000);
$forget->('b');

# by number, with the one in progress; rules that are not set are asked about only

$make->("c$_", 100 - $_, 1) for 1 .. 6;
$make->('c7', 200, 1, protected => 1);
$rules->('retention count=3;');
is($told->($m, '?limit=2'), 'c1:count c2:count', 'as many as were asked for');
is($plan->($m, '?limit=2')->{recordings}, 4, 'of all');
is($m->get("/api/v1/retention?$_")->{status}, 400, "not $_")
    for qw(limit=0 age=0 age=30d age=4000000000 size=-1 count=x days=3);
is($told->($m, '?count=5'), 'c1:count c2:count', 'other rules, one by one');
is($told->($m, '?age=8467200'), 'c1:age c2:age', 'that of nginx.conf is not asked then');
is_deeply($plan->($m, '?size=99000000')->{rules}, { age => undef, size => 99000000, count => undef },
   'as the answer says');
is($told->($m, '?size=99000000&age=8380800'), 'c1:age c2:age c3:age', 'or together');
$check->('retention count=3;', 'c', 'c1:count c2:count c3:count c4:count', 'c5 c6 c7', 4000000);
$forget->('c');

# what has just ended may go on, and counts

$make->("d$_", 100 - $_, 1) for 1 .. 2;
$make->('d3', 0, 1);
$make->('d4', 0, 1);
$rules->('retention count=1;');
is($told->($m), 'd1:count d2:count', 'those that have just ended stay');
$forget->('d');

# of one streamer, by its line and by the API; a rule of all counts behind it

$make->("e$_", 100 - $_, 10, of => $s{one}) for 1 .. 5;
$make->("e$_", 100 - $_, 10) for 6 .. 8;
my $line = "streamer chzzk $id retention_age=off retention_count=3;";
$check->("retention age=96d size=72m; $line", 'e', 'e1:count e2:count', 'e3 e4 e5 e6 e7 e8', 20000000);
my $x = $m->json("/api/v1/streamers/$s{one}");
is_deeply($x->{retention}, { age => 0, size => undef, count => 3 }, 'the streamer shows its line');
$x = $m->call(PATCH => "/api/v1/streamers/$s{one}", { retention => { size => 15_000_000, count => undef } });
is_deeply($x->{json}{retention}, { age => undef, size => 15_000_000, count => undef }, 'changed');
$rules->("retention count=4; $line");
is($told->($m), 'e3:size e4:size e5:count', 'first what is too much of its streamer');
for my $bad (1, [], {}, { age => -1 }, { size => 0 }, { count => 0 }, { count => '3' }, { days => 3 },
             { age => 1, days => 3 }, { age => 4_000_000_000 })
{
    $x = $m->call(PATCH => "/api/v1/streamers/$s{one}", { retention => $bad });
    is("$x->{status} $x->{json}{error} $x->{json}{field}", '400 bad_field retention',
       'bad: ' . JSON::PP->new->canonical->allow_nonref->encode($bad));
}
$m->call(PATCH => "/api/v1/streamers/$s{one}", { retention => undef });
is($m->json("/api/v1/streamers/$s{one}")->{retention}, undef, 'taken back');
$forget->('e');

# through the trash; what is brought back is protected from the rule

$make->("f$_", 100 - $_, 1) for 1 .. 2;
$check->('trash 1h; retention age=30d;', 'f', 'f1:age f2:age', '', 2000000);
my ($f) = map { $_->[0] } @{ $m->psql("SELECT id FROM media_record WHERE channel_name = 'f1'") };
is(scalar(grep { $_->{deleted}{why} eq 'age' } @{ $m->json('/api/v1/recordings?status=trash')->{items} }),
   2, 'both are in the trash');
is($m->call(POST => "/api/v1/recordings/$f/restore")->{status}, 202, 'one is brought back');
wait_for(sub { $m->recording($f)->{status} eq 'recorded' }, 'it is there', 10);
ok($m->recording($f)->{protected}, 'and protected');
is($m->get($m->recording($f)->{url})->{status}, 200, 'and served');
$forget->('f');

# another nginx of the same storage: no more goes; and by itself, once a minute

my $o = MNT->new(workers => 2, pg => $m->{pg}, storage => $m->{storage});
$o->{block} = <<"END";
mntreamer {
    database "host=$m->{pg} user=postgres dbname=$m->{db}";
    storage $m->{storage};
    fetch_allow 127.0.0.0/8;
    resume_window 1s;
    retention count=11;
    node other;
}
END
$rules->('retention count=11;');
@d = map { $make->(sprintf('g%02d', $_), 100 - $_, 1) } 1 .. 40;
$o->start;
$o->up;
is($told->($o), $told->($m), 'both say the same');
$release->();
wait_for(sub { $left->('g') eq join ' ', map { "g$_" } 31 .. 40 }, 'ten are left, and the one in progress', 75);
wait_for(sub { 30 == grep { !-e } @d[0 .. 29] }, 'no file of the others', 20);
is(scalar(grep { -e "$_/index.m3u8" } @d[30 .. 39]), 10, 'all of theirs');
my @ids = map { $_->[0] } @{ $m->psql("SELECT id FROM media_record WHERE channel_name LIKE 'g%'
                                       AND status = 'deleted'") };
my $lines = sub { my $log = $m->log . $o->log;
                  return map { scalar(() = $log =~ /recording $_ was deleted by a rule of number, /g) } @ids };
wait_for(sub { !grep { $_ == 0 } $lines->() }, 'each is told about', 10);
is(scalar(grep { $_ != 1 } $lines->()), 0, '... once');
is($m->recording($r{live}{id})->{status}, 'recording', 'what is on the air is not touched');
is($m->recording($r{one}{id})->{status}, 'recorded', 'nor what is protected');

# workers that are killed in between leave it to the next ones

my $late = $make->('h1', 300, 1);
$m->psql("UPDATE media_record SET status = 'deleted', deleted_from = 'recorded', deleted_why = 'age',
          deleted_at = now(), purge_at = '-infinity' WHERE channel_name = 'h1'");
kill 'KILL', map { $_->workers_of } $m, $o;
wait_for(sub { !-e $late }, 'what was marked goes', 30);

ok($o->stop, 'the other nginx ends by itself');
$o->{allow_log} = $m->{allow_log} = qr{exited on signal 9};
$o->check_log;
$m->finish;
