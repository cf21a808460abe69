use strict;
use warnings;
use lib 't/lib';
use MNT;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(time sleep);

# JOB-01, VOD-05, LIB-06: a job is seen while it runs, cancelled, tried again; it
# outlives its worker, a reload, a crash and the database; it is done once over
# all workers and machines, and nothing is left of what was not.

my $m = MNT->new(workers => 2, own_pg => 1, mntreamer => 'resume_window 1s;',
                 allow_log => qr/worker process \d+ exited on signal 9/);
my $bin = "$m->{dir}/bin";
my $dir = "$m->{dir}/fake";
mkdir $_ for $bin, $dir;
chmod 0777, $dir;
my $path = "env PATH=$bin:/usr/bin:/bin; env LD_PRELOAD; env SLOWSYNC;";
$m->{main} = $path;

# ffmpeg as it is; or one that tells half and waits; or one that fails

sub ffmpeg {
    my ($mode) = @_;
    my $real = 'exec /usr/bin/ffmpeg "$@"';
    my %code = (
        real => $real,
        half => "echo half >$dir/half.\$\$; for last; do :; done; echo part >\"\$last\"\n"
            . "printf 'out_time_us=2500000\\nspeed=1.5x\\nprogress=continue\\n'\n"
            . "while [ ! -e $dir/go ]; do sleep 0.1; done\n$real",
        fails => 'for last; do :; done; echo part >"$last"; echo no, never >&2; exit 3',
    );
    spew("$bin/new", "#!/bin/sh\necho \$\$ >>$dir/runs\n$code{$mode}\n");
    chmod 0755, "$bin/new";
    rename "$bin/new", "$bin/ffmpeg";
    unlink glob("$dir/half.*"), "$dir/go";
}

my $runs = sub { scalar split /\n/, slurp("$dir/runs") // '' };
my $half = sub { (map { /(\d+)$/ } glob "$dir/half.*")[0] };

my $media = tempdir('mntjobs-XXXXXX', TMPDIR => 1, CLEANUP => 1);
MNT::quiet('ffmpeg', '-v', 'error', '-nostdin', '-f', 'lavfi', '-i',
    'testsrc=size=160x120:rate=25', '-f', 'lavfi', '-i', 'sine', '-t', 5, '-c:v', 'libx264',
    '-preset', 'ultrafast', '-g', 25, '-sc_threshold', 0, '-pix_fmt', 'yuv420p', '-c:a', 'aac',
    '-threads', 1, '-f', 'hls', '-hls_time', 1, '-hls_list_size', 0, '-hls_segment_filename',
    "$media/%d.ts", "$media/list.m3u8") or BAIL_OUT('ffmpeg makes no media');
$m->channel('one', live => 1, manual => 1, dur => 1, target => 1, window => 30,
            bodies => $media);
ffmpeg('real');
$m->start;
$m->up;
$m->watch('one');
$m->advance('one', 5);
wait_for(sub { ($m->recordings->[0] || {})->{segments} }, 'it is recorded', 20);
$m->channel('one', live => 0, endlist => 1);
my $r = wait_for(sub { (grep { $_->{status} eq 'recorded' } @{ $m->recordings })[0] },
                 'it is over', 30);
my ($base) = map { "$m->{storage}/$_" } $r->{url} =~ m{^/recordings/(.*)/};

# more of the same, so that a recording can be deleted

sub another {
    my ($n) = @_;
    MNT::quiet('cp', '-a', $base, "$base-$n");
    return $m->psql("INSERT INTO media_record (platform, channel_id, channel_name, day,
        sequence, path, epoch, storage, status, ended_at, segments, bytes, duration_us)
        SELECT platform, channel_id, '$n', day, 1000 + $n, path || '-$n', epoch, storage,
          'recorded', now(), segments, bytes, duration_us FROM media_record
         WHERE id = $r->{id} RETURNING id")->[0][0];
}

my $ask = sub { $m->call(POST => "/api/v1/recordings/$_[0]/exports", $_[1] || {}) };
my $job = sub { $m->json("/api/v1/jobs/$_[0]") };
my $is = sub {
    my ($id, $state, $what, $seconds) = @_;
    return wait_for(sub { my $j = $job->($id); $j && $j->{state} eq $state && $j },
                    $what, $seconds || 20) || diag $m->get("/api/v1/jobs/$id")->{content};
};
my $left = sub { join ' ', grep { /\.export|\.part$/ } file_list($m->{storage}) };
my $clean = sub { wait_for(sub { $left->() eq '' }, "$_[0]: nothing is left", 10)
                      or diag $left->() };
my $alive = sub { my $p = shift; kill 0, $p };
my $exports = 0;
my $delete = sub {
    my ($id) = @_;
    is($m->call(DELETE => "/api/v1/jobs/$id")->{status}, 204, 'it is deleted');
    wait_for(sub { $m->one("SELECT count(*) FROM job WHERE id = $id") == 0 }, '... and gone');
};

# seen while it runs, cancelled, tried again

ffmpeg('half');
my $id = $ask->($r->{id})->{json}{id};
my $j = wait_for(sub { my $j = $job->($id); $j->{progress} > 0 && $j }, 'it runs') || {};
is("$j->{state} $j->{progress} $j->{rate}", 'running 0.5 1.5', 'half of it, so fast');
is($j->{attempts}, 1, 'the first time');
my $pid = $half->();
ok($alive->($pid), 'ffmpeg is there');
cmp_ok((getpriority 0, $pid), '>=', 15, 'and lets others go before it');
is($m->call(POST => "/api/v1/jobs/$id/retry")->{status}, 409, 'it needs no other try');
is($ask->($r->{id})->{json}{id}, $id, 'nor another job');
is($m->call(DELETE => "/api/v1/jobs/$id")->{status}, 204, 'it is cancelled');
is($job->($id)->{state}, 'cancelled', 'which is seen at once');
wait_for(sub { !$alive->($pid) }, 'ffmpeg ends');
$clean->('cancelled');
ffmpeg('real');
wait_for(sub { $m->call(POST => "/api/v1/jobs/$id/retry")->{status} == 200 }, 'tried again');
$j = $is->($id, 'done', 'it is done');
ok(-s "$base/export-$id.mp4", 'there it is');
$delete->($id);
ok(!-e "$base/export-$id.mp4", 'with its file');

# followed by events; the last one is the end

sub listen_to {
    my ($path, $method) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $m->{port}) or die $!;
    print $s(($method || 'GET') . " $path HTTP/1.0\r\nHost: x\r\n\r\n");
    return { s => $s, text => '' };
}

# what came within so many seconds, or until it looks so, or until the end

sub heard {
    my ($l, $seconds, $like) = @_;
    my $end = time + $seconds * $MNT::PATIENCE;
    while (!$l->{over} && time < $end && !($like && $l->{text} =~ $like)) {
        my $r = '';
        vec($r, fileno $l->{s}, 1) = 1;
        select($r, undef, undef, 0.1) > 0 or next;
        $l->{over} = 1 if !sysread $l->{s}, $l->{text}, 65536, length $l->{text};
    }
    return $l->{text};
}

my $states = sub { join ' ', $_[0]{text} =~ /^event: job\ndata: \{.*?"state" : "(\w+)"/mg };

ffmpeg('half');
$id = $ask->($r->{id})->{json}{id};
wait_for(sub { $half->() }, 'one to listen to');
my $l = listen_to("/api/v1/jobs/$id/events");
heard($l, 10, qr/"progress" : 0\.500/);
like($l->{text}, qr{^HTTP/1.1 200 .*content-type: text/event-stream\r}si, 'a stream of events');
like($l->{text}, qr/cache-control: no-store.*x-accel-buffering: no/si, 'for nobody in between');
like($l->{text}, qr/^event: job\ndata: \{.*"progress" : 0\.500,.*\}\n\n/m, 'it tells the progress');
my $n = () = $l->{text} =~ /^event/mg;
heard($l, 2.5);
is(scalar(() = $l->{text} =~ /^event/mg), $n, '... nothing when there is nothing new');
is($m->get("/api/v1/jobs/999999/events")->{status}, 404, '... and nothing of nothing');
my @more = map { listen_to("/api/v1/jobs/$id/events") } 1 .. 20;
close $_->{s} for @more[0 .. 9];
spew("$dir/go", '');
heard($_, 15) for $l, @more[10 .. 19];
is(scalar(grep { $_->{over} && $states->($_) =~ /^running.* done$/ } $l, @more[10 .. 19]), 11,
   'all hear that it is done, and that is the end');
like($l->{text}, qr/"url" : "[^"]+export-$id\.mp4"[^\n]*\n\n$/, '... and where it is');
my $x = $m->get("/api/v1/jobs/$id/events");
is(scalar(() = $x->{content} =~ /^event: job$/mg), 1, 'what is over is told once');
$l = listen_to("/api/v1/jobs/$id/events", 'HEAD');
like(heard($l, 5), qr/text\/event-stream.*\r\n\r\n$/s, 'a head has no body');
$delete->($id);

ffmpeg('half');
$id = $ask->($r->{id})->{json}{id};
wait_for(sub { $half->() }, 'one that is cancelled');
$l = listen_to("/api/v1/jobs/$id/events");
heard($l, 5, qr/event/);
my @old = $m->workers_of;
$m->reload;
heard($l, 5);
ok($l->{over}, 'a reload ends the stream: who listens comes back');
wait_for(sub { my %now = map { $_ => 1 } $m->workers_of; !grep { $now{$_} } @old },
         '... and holds no worker');
$l = listen_to("/api/v1/jobs/$id/events");
heard($l, 5, qr/event/);
$m->call(DELETE => "/api/v1/jobs/$id");
heard($l, 5);
ok($l->{over}, 'the end of the stream');
like($states->($l), qr/cancelled$/, '... says that it was cancelled');
$clean->('events');
ffmpeg('real');
$m->call(DELETE => "/api/v1/jobs/$id");
wait_for(sub { $m->one("SELECT count(*) FROM job") == 0 }, 'and its row');

# one that fails is tried again later and later, and fails for good

ffmpeg('fails');
$id = $ask->($r->{id})->{json}{id};
for my $n (1 .. 4) {
    $j = wait_for(sub { my $j = $job->($id);
                        $j->{state} eq 'queued' && $j->{attempts} == $n && $j },
                  "failure $n", 10);
    like($j->{error}, qr/^ffmpeg exited with code 3$/, '... why');
    ok($j->{next_try_at}, '... and when again');
    my $pause = $m->one("SELECT extract(epoch FROM run_at - now()) FROM job WHERE id = $id");
    cmp_ok(abs($pause - 5 * 2 ** $n), '<', 4, '... each time later') or diag $pause;
    is($left->(), '', '... nothing is left meanwhile');
    $m->psql("UPDATE job SET run_at = now() WHERE id = $id; NOTIFY mntreamer, 'job'");
}
$is->($id, 'failed', 'five are enough');
like($m->log, qr/ffmpeg exited with code 3: no, never/, 'the log has what it said');
ffmpeg('real');
is($m->call(POST => "/api/v1/jobs/$id/retry")->{json}{state}, 'queued', 'somebody wants it still');
$is->($id, 'done', '... and gets it');
$delete->($id);

is($m->metric(qq(mntreamer_jobs_total{result="$_->[0]"})), $_->[1], "counted: $_->[0]")
    for ['done', 3], ['again', 4], ['failed', 1];

# one of the two may have been cancelled before anybody took it

cmp_ok($m->metric('mntreamer_jobs_total{result="cancelled"}'), '>=', 1, 'counted: cancelled');

# its worker is killed: begun anew by the next, which removes what was left

sub first_worker {
    my ($of) = @_;
    my $child = $half->();
    for my $w ($of->workers_of) {
        for (glob '/proc/[0-9]*/stat') {
            my ($p, $parent) = (slurp($_) // '') =~ /^(\d+) \(.*\) \S (\d+)/ or next;
            return $w if $parent == $w && (slurp("/proc/$child/stat") // '')
                =~ /^\d+ \(.*\) \S $p /;
        }
    }
    die "nobody runs it\n";
}

ffmpeg('half');
$id = $ask->($r->{id})->{json}{id};
wait_for(sub { $half->() && $job->($id)->{progress} > 0 }, 'another one runs');
$pid = $half->();
my $worker = first_worker($m);
unlink glob "$dir/half.*";
kill 'KILL', $worker;
wait_for(sub { !$alive->($pid) }, 'killed: ffmpeg goes with its worker');
wait_for(sub { $half->() }, 'killed: the next worker runs it', 20);
spew("$dir/go", '');
$j = $is->($id, 'done', 'killed: it is done');
is($j->{attempts}, 2, 'killed: by the second try');
$clean->('killed');
$delete->($id);

# a reload is nobody's failure

ffmpeg('half');
$id = $ask->($r->{id})->{json}{id};
wait_for(sub { $half->() && $job->($id)->{progress} > 0 }, 'one more runs');
$pid = $half->();
unlink glob "$dir/half.*";
$m->reload;
wait_for(sub { !$alive->($pid) }, 'reload: it is dropped');
wait_for(sub { $half->() }, 'reload: the next worker runs it', 20);
spew("$dir/go", '');
$j = $is->($id, 'done', 'reload: it is done');
is($j->{attempts}, 1, 'reload: and that was the first try');
$clean->('reload');
$delete->($id);

# nor a crash of all

ffmpeg('half');
$id = $ask->($r->{id})->{json}{id};
wait_for(sub { $half->() }, 'it runs again');
$pid = $half->();
$m->crash;
wait_for(sub { !$alive->($pid) }, 'crash: nothing goes on');
ffmpeg('real');
$m->start;
$m->up;
$is->($id, 'done', 'crash: it is done');
$clean->('crash');
$delete->($id);

# the database is away while ffmpeg runs

ffmpeg('half');
$id = $ask->($r->{id})->{json}{id};
wait_for(sub { $half->() }, 'it runs once more');
my $before = $runs->();
MNT::pg_stop($m->{own_pg}, 'immediate');
wait_for(sub { $m->call(GET => '/api/v1/jobs')->{status} == 503 }, 'away: the API says so', 10);
is($m->call(POST => "/api/v1/recordings/$r->{id}/exports", {})->{status}, 503,
   'away: nothing is asked for');
spew("$dir/go", '');
sleep 1;
MNT::pg_start($m->{own_pg});
wait_for(sub { $m->get('/health')->{status} == 200 }, 'away: it is back', 20);
$is->($id, 'done', 'away: it is done', 40);
is($runs->(), $before, 'away: by the same ffmpeg');
$clean->('away');
$delete->($id);

# its recording is deleted while it runs: the files wait for it

ffmpeg('half');
my $two = another(2);
$id = $ask->($two)->{json}{id};
wait_for(sub { $half->() }, 'it runs of another recording');
$pid = $half->();
is($m->call(DELETE => "/api/v1/recordings/$two")->{status}, 204, 'which is deleted');
is($m->get("/api/v1/jobs/$id")->{status}, 404, '... with its job');
wait_for(sub { !$alive->($pid) }, '... ffmpeg ends');
wait_for(sub { !-e "$base-2" }, '... and all files go', 10);
wait_for(sub { $m->one("SELECT count(*) FROM job") == 0 }, '... and the row');

# a slow disk: its lease is renewed meanwhile; cancelled, it is so behind that

my $slow = "$dir/slow";
ok(MNT::quiet('cc', '-shared', '-fPIC', '-O1', '-o', "$m->{dir}/slowsync.so",
              "$MNT::TOP/t/lib/slowsync.c", '-ldl'), 'a disk that takes its time');
$m->stop;
{
    local $ENV{LD_PRELOAD} = "$m->{dir}/slowsync.so" if !$ENV{MNT_SAN};
    local $ENV{SLOWSYNC} = $slow;
    $m->start;
}
$m->up;
spew($slow, '');
ffmpeg('real');
my $renewed = sub {
    $m->psql("UPDATE job SET lease_until = now() + interval '4 seconds' WHERE id = $id");
    wait_for(sub { $m->one("SELECT lease_until > now() + interval '8 seconds' FROM job"
                           . " WHERE id = $id") eq 't' }, "slow: $_[0]", 10);
};
for my $cancel ($ENV{MNT_SAN} ? () : (0, 1)) {
    $id = $ask->($r->{id})->{json}{id};
    wait_for(sub { -e "$slow.waits" }, 'slow: it waits for the disk');
    $renewed->('its lease is renewed');
    if ($cancel) {
        is($m->call(DELETE => "/api/v1/jobs/$id")->{status}, 204, 'slow: it is cancelled');
        $renewed->('it is ours still');
    }
    unlink $slow;
    if ($cancel) {
        wait_for(sub { $m->one("SELECT dirty OR owner IS NOT NULL FROM job WHERE id = $id")
                       eq 'f' }, 'slow: its files are gone');
        ok(!-e "$base/export-$id.mp4", 'slow: the result, too');
        is($job->($id)->{state}, 'cancelled', 'slow: and it stays so');
    } else {
        $j = $is->($id, 'done', 'slow: it is done');
        is($j->{attempts}, 1, 'slow: by one try');
    }
    $clean->('slow');
    $delete->($id);
    unlink "$slow.waits";
    spew($slow, '');
}
unlink $slow;

# recordings pause for room: it makes room, and that was no try

if (!$ENV{MNT_SAN}) {
    ffmpeg('half');
    $id = $ask->($r->{id})->{json}{id};
    wait_for(sub { $half->() }, 'full: it runs');
    $pid = $half->();
    spew("$slow.full", '');
    wait_for(sub { !$alive->($pid) }, 'full: ffmpeg ends', 20);
    $j = $is->($id, 'queued', 'full: it waits');
    like($j->{error}, qr/not enough room/, 'full: for room');
    is($j->{attempts}, 0, 'full: which is no try');
    $clean->('full');
    unlink "$slow.full";
    wait_for(sub { $m->get('/health')->{status} == 200 }, 'full: there is room again', 20);
    spew("$dir/go", '');
    $m->psql("UPDATE job SET run_at = now() WHERE id = $id");
    $j = $is->($id, 'done', 'full: it is done');
    $delete->($id);
}

# one whose recording has a path that is none, fails

ffmpeg('real');
my $three = another(3);
$m->psql("UPDATE media_record SET path = repeat('x', 1100) WHERE id = $three");
$id = $ask->($three)->{json}{id};
$j = $is->($id, 'failed', 'no path: it fails');
like($j->{error}, qr/no directory/, 'no path: why');
$delete->($id);
$m->psql("DELETE FROM media_record WHERE id = $three");

# so many listen, of whom many asked at once: a worker has 256 of them

ffmpeg('half');
$id = $ask->($r->{id})->{json}{id};
wait_for(sub { $half->() }, 'one to listen to by many');
my @pids = sort $m->workers_of;
@more = ();
for (1 .. 400) {
    push @more, listen_to("/api/v1/jobs/$id/events");
    heard($more[-1], 10, qr/\r\n\r\n/);
}
open my $lock, '|-', 'psql', '-X', '-q', '-h', $m->{pg}, '-U', 'postgres', '-d', $m->{db} or die;
$lock->autoflush(1);
print $lock "BEGIN; LOCK TABLE job IN ACCESS EXCLUSIVE MODE;\n";
wait_for(sub { $m->one("SELECT count(*) FROM pg_locks WHERE relation = 'job'::regclass"
                       . " AND mode = 'AccessExclusiveLock' AND granted") == 1 }, 'a question waits');
push @more, map { listen_to("/api/v1/jobs/$id/events") } 1 .. 400;
sleep 1;
close $lock;
heard($_, 10, qr/\r\n\r\n/) for @more;
my @heard = grep { $_->{text} =~ m{^HTTP/1.1 200} } @more;
cmp_ok(scalar @heard, '>=', 256, 'many listen');
cmp_ok(scalar @heard, '<=', 512, 'no more than may');
is(scalar(grep { $_->{text} =~ m{^HTTP/1.1 503} } @more), 800 - @heard, 'the others are told so');
spew("$dir/go", '');
heard($_, 15) for @heard;
is(scalar(grep { $_->{over} && $states->($_) =~ /done$/ } @heard), scalar @heard,
   'and hear of its end');
is(join(' ', sort $m->workers_of), "@pids", 'no worker died of it');
close $_->{s} for @more;
$delete->($id);

# another machine of the same storage: each is done once

my $o = MNT->new(workers => 1, pg => $m->{pg}, storage => $m->{storage}, main => $path,
                 allow_log => $m->{allow_log});
$o->{block} = <<"END";
mntreamer {
    database "host=$m->{pg} user=postgres dbname=$m->{db}";
    storage $m->{storage};
    fetch_allow 127.0.0.0/8;
    node other;
    jobs 2;
}
END
$o->start;
$o->up;
ffmpeg('real');
unlink "$dir/runs";
my @all = map { $ask->($r->{id}, { begin => $_ / 10, end => 4 })->{json}{id} } 1 .. 12;
wait_for(sub { $m->one("SELECT count(*) FROM job WHERE state = 'done'") == 12 },
         'twelve are done', 40);
is($m->one("SELECT count(*) FROM job WHERE attempts = 1"), 12, 'each by one try');
is($runs->(), 12, 'and one ffmpeg');
$m->call(DELETE => "/api/v1/jobs/$_") for @all;
wait_for(sub { $m->one("SELECT count(*) FROM job") == 0 }, 'all are deleted');

# one that stands still loses it to the other, and spoils nothing

$o->stop;
ffmpeg('half');
$id = $ask->($r->{id})->{json}{id};
wait_for(sub { $half->() }, 'it runs on the one');
$worker = first_worker($m);
kill 'STOP', $worker;
ffmpeg('real');
$m->psql("UPDATE job SET lease_until = now() - interval '1 hour'");
$o->start;
wait_for(sub { $m->one("SELECT state FROM job WHERE id = $id") eq 'done' },
         'still: the other one does it', 40);
my $sum = sha256_of(slurp("$base/export-$id.mp4"));
spew("$dir/go", '');
kill 'CONT', $worker;
wait_for(sub { $m->log =~ /job $id was cancelled/ }, 'still: it finds out', 20);
$clean->('still');
is(sha256_of(slurp("$base/export-$id.mp4")), $sum, 'still: the result is the other one\'s');
is($m->one("SELECT state FROM job WHERE id = $id"), 'done', 'still: and it stays');

$o->stop;
$o->check_log;
$o->cleanup;
$m->finish;
