use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;
use Time::HiRes qw(sleep);

# LIB-07: "trash TIME": what was deleted is off all lists and not served at once,
# and comes back as it was, byte by byte, until its time is over; then, or when
# asked to, its files go.  No restart or kill in between changes that, and two nginx
# of one storage do it once.

my $m = MNT->new(workers => 2, mntreamer => 'resume_window 1s; trash 1h;');
my @names = qw(one two three four five);
$m->channel($_, live => 1, dur => 0.2, window => 20, target => 1) for @names, 'live';
$m->start;
$m->up;
$m->watch($_) for @names, 'live';
wait_for(sub { 6 == grep { $_->{segments} >= 3 } @{ $m->recordings } }, 'six are recorded', 30);
$m->channel($_, live => 0, stall => 1, endlist => 1) for @names;
wait_for(sub { 5 == grep { $_->{status} eq 'recorded' } @{ $m->recordings } }, 'five are over', 30);

my %r = map { $_->{channel_name} => $_ } @{ $m->recordings };
my $at = sub { "/api/v1/recordings/$r{$_[0]}{id}" };
my $dir = sub { "$m->{storage}/" . ($r{$_[0]}{url} =~ m{^/recordings/(.*)/})[0] };
my $hidden = sub { $dir->($_[0]) =~ s{([^/]+)\z}{.$1.removed}r };
my $of = sub { $m->recording($r{$_[0]}{id}) };
my $list = sub {
    my ($query) = @_;
    join ' ', sort map { $_->{channel_name} } @{ $m->json("/api/v1/recordings$query")->{items} };
};
my $files = sub {
    my ($d) = @_;
    return { map { (m{([^/]+)\z})[0] => sha256_of(slurp($_)) } glob "$d/*" };
};
my $gone = sub {
    my ($name) = @_;
    my ($first) = grep { /\.(?:ts|m4s)\z/ } sort keys %{ $files->($hidden->($name)) };
    my $url = $r{$name}{url};
    return !grep { $m->get($_)->{status} != 404 } $url,
        defined $first ? $url =~ s{[^/]+\z}{$first}r : ();
};
my $row = sub { $m->one("SELECT $_[1] FROM media_record WHERE id = $r{$_[0]}{id}") };
my $over = sub {
    my ($name) = @_;
    wait_for(sub { $row->($name, 'removed_at IS NOT NULL') eq 't' }, "$name is gone", 15);
};
my $true = JSON::PP::true();

# into the trash

$m->call(PATCH => $at->('one'), { confirmed => $true });
my $before = $of->('one');
is($before->{deleted}, undef, 'nothing is said of one that is not deleted');
my $sums = $files->($dir->('one'));
ok(keys %$sums > 3, 'it has files');
is($m->call(DELETE => $at->('one'))->{status}, 204, 'one is deleted');
is($list->(''), 'five four live three two', 'it is off the list');
is($list->('?status=trash'), 'one', 'and on that of the trash');
is($list->('?status=deleted'), 'one', 'and on that of all that were deleted');
my $x = $of->('one');
is($x->{status}, 'deleted', 'its state says so');
is($x->{url}, undef, 'it has no address');
is($x->{deleted}{why}, 'api', 'and why');
ok($x->{deleted}{at} && $x->{deleted}{until}, 'when, and until when it can be brought back');
is($row->('one', 'round(extract(epoch FROM purge_at - deleted_at))'), 3600, 'which is an hour');
wait_for(sub { -e $hidden->('one') && !-e $dir->('one') }, 'it is hidden', 10);
wait_for(sub { $row->('one', 'hidden') eq 't' }, 'as its row says');
ok($gone->('one'), 'nothing of it is served');
is_deeply($files->($hidden->('one')), $sums, 'all files are there');
my $until = $x->{deleted}{until};
is($m->call(DELETE => $at->('one'))->{status}, 204, 'again: harmless');
is($of->('one')->{deleted}{until}, $until, '... and no longer');
is($m->call(PATCH => $at->('one'), { protected => $true })->{status}, 404, 'it cannot be changed');
like($m->log, qr/\[notice\].*recording $r{one}{id} was put into the trash, with "/, 'a line says so');

# and back

$x = $m->call(POST => $at->('one') . '/restore');
is($x->{status}, 202, 'it is to be brought back');
is($x->{json}{id}, $r{one}{id}, 'which one');
wait_for(sub { $of->('one')->{status} eq 'done' }, 'it is back, as confirmed as it was', 10);
is_deeply($of->('one'), $before, 'nothing of it has changed');
is_deeply($files->($dir->('one')), $sums, 'nor a byte of its files');
ok(!-e $hidden->('one'), 'nothing else is left');
is($list->(''), 'five four live one three two', 'it is listed');
is($list->('?status=trash'), '', 'and not in the trash');
my $text = $m->playlist($r{one});
like($text, qr/#EXT-X-ENDLIST/, 'its playlist is whole');
my @uris = map { $_->{uri} } playlist_entries($text);
is(scalar(grep { sha256_of($m->get($r{one}{url} =~ s{[^/]+\z}{$_}r)->{content}) eq $sums->{$_} } @uris),
   scalar @uris, 'and plays to the end');
$x = $m->call(POST => $at->('one') . '/restore');
is($x->{status}, 200, 'again: harmless');
is($x->{json}{status}, 'done', '... it is there');
is($m->call(POST => '/api/v1/recordings/999999/restore')->{status}, 404, 'there is none');
is($m->call(POST => $at->('one') . '/restore?x=1')->{status}, 400, 'no parameters');
is($m->call(GET => $at->('one') . '/restore')->{status}, 405, 'it is not asked for');
like($m->log, qr/recording $r{one}{id} was brought back, with "/, 'a line says so');

# what was cut stays so; what was made of it is made anew

# (an export as one that was made: segments of this origin are nothing for ffmpeg)

my $export = sub {
    my ($id) = @_;
    spew($dir->('one') . "/export-$id.mp4", 'film');
    $m->psql("INSERT INTO job (id, recording_id, segments, state, file, bytes, duration_us,
                started_at, finished_at) SELECT $id, id, segments, 'done', 'export-$id.mp4', 4,
                duration_us, now(), now() FROM media_record WHERE id = $r{one}{id}");
    return $m->json("/api/v1/jobs/$id")->{url};
};
is($m->call(POST => $at->('one') . '/cuts', { begin => 0.2, end => 0.4 })->{status}, 201, 'it is cut');
my $url = $export->(77);
is($m->get($url)->{status}, 200, 'the export is served');
$text = $m->playlist($r{one});
is($m->call(DELETE => $at->('one'))->{status}, 204, 'it is deleted');
wait_for(sub { $row->('one', 'hidden') eq 't' }, 'and hidden', 20);
is($m->get($url)->{status}, 404, 'so is the export');

# (what was under way when it went there)

my $clip = sub {
    return $m->one("INSERT INTO media_clip (id, recording_id, begin_us, end_us, title, path)
        SELECT nextval(pg_get_serial_sequence('media_record', 'id')), id, 0, 400000, '$_[0]',
            path || '-clip-$_[0]' FROM media_record WHERE id = $r{one}{id} RETURNING id");
};
my $late = $clip->('late');
$m->psql("NOTIFY mntreamer, 'edit'");
is($m->call(POST => $at->('two') . '/clips', { begin => 0, end => 0.4 })->{status}, 201, 'clips are made');
is($m->one("SELECT refused FROM media_clip WHERE id = $late") // '', '', 'one of what is in the trash waits');
$m->psql("SELECT mntreamer_clip_told($late, 'its files are gone', NULL, NULL, NULL)");
is($m->one("SELECT refused FROM media_clip WHERE id = $late") // '', '', '... whatever the engine found');
$m->psql("INSERT INTO media_cut (recording_id, begin_us, end_us, version)
    VALUES ($r{one}{id}, 600000, 800000, mntreamer_cut_changed($r{one}{id}))");
$m->psql("SELECT mntreamer_cut_told(id, cut_version, 'its files are gone', NULL, NULL)
    FROM media_record WHERE id = $r{one}{id}");
is($m->one('SELECT count(*) FROM media_cut WHERE refused IS NOT NULL'), 0, 'so does a cut');
$m->psql('DELETE FROM media_cut WHERE begin_us = 600000');
$m->psql("UPDATE job SET owner = 1, epoch = 5, lease_until = now() + interval '1 minute' WHERE id = 77");
$m->psql("SELECT mntreamer_job_told(77, 1, 5, 'clean', 0, NULL, NULL, NULL, NULL)");
is($m->one('SELECT dirty FROM job WHERE id = 77') // '', 't', 'nothing is clean there');

is($m->call(POST => $at->('one') . '/restore')->{status}, 202, 'it is brought back');
wait_for(sub { $of->('one')->{status} eq 'done' }, 'it is there', 10);
is($m->playlist($r{one}), $text, 'cut as it was');
is(scalar @{ $m->json($at->('one') . '/cuts')->{items} }, 1, 'by one cut');
wait_for(sub { $m->one("SELECT count(*) FROM media_record WHERE id = $late AND status = 'recorded'") == 1 },
         'what waited is made', 20);
is(scalar @{ $m->json($at->('one') . '/exports')->{items} }, 0, 'there is no export');
wait_for(sub { $m->get($url)->{status} == 404 }, 'nor its file', 20);
wait_for(sub { $m->one('SELECT count(*) FROM job') == 0 }, 'nor a row of it', 20);
is($m->get($export->(78))->{status}, 200, 'it is made anew');

# a database that was restored does not know that one was brought back

is($m->call(DELETE => $at->('one'))->{status}, 204, 'it is deleted');
wait_for(sub { $row->('one', 'hidden') eq 't' }, 'and hidden', 20);
rename $hidden->('one'), $dir->('one') or die $!;
$sums = $files->($dir->('one'));
delete $sums->{$_} for grep { /^export/ } keys %$sums;
$m->psql("UPDATE media_record SET purge_at = now() - interval '1 second' WHERE id = $r{one}{id}");
$m->psql("NOTIFY mntreamer, 'remove'");
wait_for(sub { $of->('one')->{status} eq 'done' }, 'one that is not hidden stays', 10);
$x = $files->($dir->('one'));
delete $x->{$_} for grep { /^export/ } keys %$x;
is_deeply($x, $sums, '... with all of its files');
like($m->log, qr/recording $r{one}{id} stays, for "/, '... as a line says');
is($m->playlist($r{one}), $text, '... and is shown');

# nor of one that lies in the trash under its name

mkdir $hidden->('one') or die $!;
spew($hidden->('one') . '/000001.ts', 'older');
MNT::quiet('chown', '-R', 'nobody', $hidden->('one')) if !$>;
is($m->call(DELETE => $at->('one'))->{status}, 204, 'it is deleted');
wait_for(sub { $row->('one', 'hidden') eq 't' && !-e $dir->('one') }, 'and hidden', 20);
$x = $files->($hidden->('one'));
delete $x->{$_} for grep { /^export/ } keys %$x;
is_deeply($x, $sums, '... with all of its files');
like($m->log, qr/\[warn\].* 1 files in the trash were deleted, of an older "/, '... a line tells of the other one');
is($m->call(POST => $at->('one') . '/restore')->{status}, 202, 'it is brought back');
wait_for(sub { $of->('one')->{status} eq 'done' }, 'it is there', 10);

# at once

is($m->call(DELETE => $at->('one') . '?purge=yes')->{status}, 400, 'purge is 0 or 1');
is($m->call(DELETE => $at->('live') . '?purge=1')->{status}, 409, 'not what is in progress');
$m->call(PATCH => $at->('one'), { protected => $true });
is($m->call(DELETE => $at->('one') . '?purge=1')->{status}, 409, 'nor what is protected');
$m->call(PATCH => $at->('one'), { protected => JSON::PP::false() });
is($m->call(DELETE => $at->('two') . '?purge=1')->{status}, 204, 'one is deleted for good');
$over->('two');
ok(!-e $dir->('two') && !-e $hidden->('two'), '... without a file');
is($m->call(DELETE => $at->('one'))->{status}, 204, 'one goes into the trash');
wait_for(sub { -e $hidden->('one') }, 'it is hidden', 10);
is($m->call(DELETE => $at->('one') . '?purge=1')->{status}, 204, '... and from there for good');
is($list->('?status=trash'), '', 'it is not in the trash any more');
$over->('one');
ok(!-e $dir->('one') && !-e $hidden->('one'), 'no file is left');
for my $name (qw(one two)) {
    $x = $m->call(POST => $at->($name) . '/restore');
    is($x->{status}, 409, "$name does not come back");
    like($x->{content}, qr/not in the trash/, '... says the answer');
    is($of->($name)->{deleted}{until}, undef, '... and its row');
    is($m->call(DELETE => $at->($name) . '?purge=1')->{status}, 204, 'again: harmless');
}

# workers that are killed between a file and its row

$sums = $files->($dir->('three'));
my $kill = sub {
    my %old = map { $_ => 1 } $m->workers_of;
    kill 'KILL', keys %old;
    wait_for(sub { my @w = $m->workers_of; @w == 2 && !grep { $old{$_} } @w }, 'other workers', 15);
};
$m->call(DELETE => $at->('three'));
wait_for(sub { $row->('three', 'hidden') eq 't' }, 'three is in the trash', 10);
$m->psql("UPDATE media_record SET hidden = false WHERE id = $r{three}{id}");
$kill->();
wait_for(sub { $row->('three', 'hidden') eq 't' }, 'hidden, and not told', 30);
is_deeply($files->($hidden->('three')), $sums, 'nothing of it went');
rename $hidden->('three'), $dir->('three') or die $!;
$m->psql("UPDATE media_record SET restoring = true WHERE id = $r{three}{id}");
$kill->();
wait_for(sub { $of->('three')->{status} eq 'recorded' }, 'back, and not told', 30);
is_deeply($files->($dir->('three')), $sums, 'nothing of it went');

# the time is over: over a restart, and by itself

$m->call(DELETE => $at->($_)) for qw(three four);
wait_for(sub { -e $hidden->('three') && -e $hidden->('four') }, 'two are in the trash', 10);
$m->stop;
$m->psql("UPDATE media_record SET purge_at = now() + interval '4 seconds' WHERE id = $r{three}{id}");
$m->start;
$m->up;
ok(-e $hidden->('three'), 'its time is not over') or diag $row->('three', 'purge_at - now()');
$over->('three');
ok(!-e $hidden->('three'), 'it is: no file is left');
ok(-e $hidden->('four'), 'that of another one is not');
is($m->call(POST => $at->('three') . '/restore')->{status}, 409, 'it does not come back');

# another nginx of the same storage

my $o = MNT->new(workers => 2, pg => $m->{pg}, storage => $m->{storage});
$o->{block} = <<"END";
mntreamer {
    database "host=$m->{pg} user=postgres dbname=$m->{db}";
    storage $m->{storage};
    fetch_allow 127.0.0.0/8;
    trash 1h;
    node other;
}
END
$o->start;
$o->up;
$sums = $files->($hidden->('four'));
for my $round (1 .. 5) {
    my ($a, $b) = $round % 2 ? ($m, $o) : ($o, $m);
    is($a->call(POST => $at->('four') . '/restore')->{status}, 202, "brought back by one: $round");
    wait_for(sub { $of->('four')->{status} eq 'recorded' && -e $dir->('four') }, 'it is there', 10);
    is($b->call(DELETE => $at->('four'))->{status}, 204, 'deleted by another');
    wait_for(sub { -e $hidden->('four') && $row->('four', 'hidden') eq 't' }, 'it is not', 10);
}
is_deeply($files->($hidden->('four')), $sums, 'no file was lost');
my $many = $m->one("SELECT array_to_string(array_agg(n), ' ') FROM generate_series(1, 20) n");
$m->psql("INSERT INTO media_record (streamer_id, platform, channel_id, channel_name, day,
            sequence, path, epoch, storage, status, ended_at, segments, bytes)
          SELECT NULL, platform, channel_id, 'many', day, 1000 + n, path || '-' || n, epoch,
            storage, 'recorded', now(), segments, bytes
            FROM media_record, generate_series(1, 20) n WHERE id = $r{five}{id}");
MNT::quiet('cp', '-a', $dir->('five'), $dir->('five') . "-$_") for split / /, $many;
my %many = map { $_->{id} => $_ } grep { $_->{channel_name} eq 'many' } @{ $m->recordings };
is(scalar keys %many, 20, 'there are twenty more');
$m->call(DELETE => "/api/v1/recordings/$_") for keys %many;
wait_for(sub { !grep { -e $dir->('five') . "-$_" } 1 .. 20 }, 'all are hidden', 20);
$m->call(DELETE => "/api/v1/recordings/$_?purge=1") for keys %many;
wait_for(sub { $m->one("SELECT count(*) FROM media_record WHERE channel_name = 'many'
                        AND removed_at IS NULL") == 0 }, 'all go', 20);
is(scalar(grep { m{/\.[^/]*-\d+\.removed\z} } glob $dir->('five') =~ s{[^/]+\z}{.*}r), 0,
   'without a file');
my $lines = sub { my $log = $m->log . $o->log;
                  return map { scalar(() = $log =~ /recording $_ was deleted, /g) } keys %many };
wait_for(sub { !grep { $_ == 0 } $lines->() }, 'each is told about', 10);
is(scalar(grep { $_ != 1 } $lines->()), 0, '... once');

# brought back in the moment in which the time is over: whole, or not at all

$sums = $files->($dir->('five'));
MNT::quiet('cp', '-a', $dir->('five'), $dir->('five') . "-r$_") for 1 .. 40;
$m->psql("INSERT INTO media_record (streamer_id, platform, channel_id, channel_name, day,
            sequence, path, epoch, storage, status, ended_at, segments, bytes, deleted_from,
            deleted_at, deleted_why, purge_at)
          SELECT NULL, platform, channel_id, 'race', day, 2000 + n, path || '-r' || n, epoch,
            storage, 'deleted', now(), segments, bytes, 'recorded', now(), 'api',
            now() + interval '1 hour' FROM media_record, generate_series(1, 40) n
            WHERE id = $r{five}{id}");
my @race = map { $_->[0] } @{ $m->psql("SELECT id FROM media_record WHERE channel_name = 'race' ORDER BY id") };
$m->psql("NOTIFY mntreamer, 'remove'");
wait_for(sub { $m->one("SELECT count(*) FROM media_record WHERE channel_name = 'race' AND hidden") == 40 },
         'forty more are in the trash', 20);
$m->psql("UPDATE media_record SET purge_at = now() + random() * interval '4 s' WHERE channel_name = 'race'");
$m->psql("NOTIFY mntreamer, 'remove'");
my %answer;
for my $i (0 .. 39) {
    sleep 0.1;
    $answer{ $race[$i] } = ($i % 2 ? $m : $o)->call(POST => "/api/v1/recordings/$race[$i]/restore")->{status};
}
wait_for(sub { $m->one("SELECT count(*) FROM media_record WHERE channel_name = 'race'
                        AND status = 'deleted' AND removed_at IS NULL") == 0 }, 'all have gone or come back', 70);
my (@whole, @wrong);
for my $x (@{ $m->psql("SELECT id, status, path FROM media_record WHERE channel_name = 'race'") }) {
    my ($id, $status, $path) = @$x;
    my $d = "$m->{storage}/$path";
    my $h = $d =~ s{([^/]+)\z}{.$1.removed}r;
    my $now = $files->($d);
    my $is = join ' ', map { "$_=$now->{$_}" } sort keys %$now;
    push @whole, $id if $status eq 'recorded';
    push @wrong, "$id: $answer{$id} $status" if $answer{$id} != ($status eq 'recorded' ? 202 : 409) || -e $h
        || ($status eq 'recorded' ? $is ne join ' ', map { "$_=$sums->{$_}" } sort keys %$sums : -e $d);
}
is_deeply(\@wrong, [], 'each whole or not at all, as was answered');
ok(@whole > 0 && @whole < 40, 'some were in time') or diag scalar @whole;
is($m->recording($r{live}{id})->{status}, 'recording', 'what is on the air is not touched');
is($of->('five')->{status}, 'recorded', 'nor what was not deleted');

ok($o->stop, 'the other nginx ends by itself');
$o->check_log;
$m->{allow_log} = qr{exited on signal 9};
$m->finish;
