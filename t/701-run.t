use strict;
use warnings;
use lib 't/lib';

# "./mntreamer run" twice, after a crash, after "stop", on a taken port, with a
# directory that cannot be written: a system that works, or one plain sentence
# and nothing left behind.

use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use MNT;

my $base = tempdir('mntrun-XXXXXX', TMPDIR => 1);
chmod 0755, $base;
my $dir = "$base/state";
my $port = free_port();
my $rtmp = free_port();
my $http = HTTP::Tiny->new(timeout => 5);
my $script = "$MNT::TOP/mntreamer";

# (exit code, what it said); @$in stands in front of the command

sub run_in {
    my ($in, @args) = @_;
    my $file = "$base/said";

    push @args, '--rtmp-port', $rtmp
        if $args[0] eq 'run' && !grep { $_ eq '--rtmp-port' } @args;
    my $pid = fork // die $!;

    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', $file;
        open STDERR, '>&', \*STDOUT;
        exec @$in, $script, @args or POSIX::_exit(127);
    }

    waitpid $pid, 0;
    return ($? >> 8, slurp($file));
}

sub mntreamer { return run_in([], @_) }

sub run_here {
    return mntreamer('run', '--dir', $dir, '--http-port', $port, @_);
}

sub part {
    my ($name) = @_;
    return ((slurp("$dir/run/$name.process") // '') =~ /^(\d+) /)[0];
}

# everything that belongs to a directory of state: it is named by the command
# line or open

sub alive {
    my ($where) = @_;
    my @alive;

    for my $proc (glob '/proc/[0-9]*') {
        my ($pid) = $proc =~ /(\d+)/;
        next if $pid == $$;
        my $told = slurp("$proc/cmdline") // next;
        push @alive, "$pid $told"
            if $told =~ /\Q$where\E/
               || grep { (readlink $_ // '') =~ m{^\Q$where\E/} } glob "$proc/fd/*";
    }

    return @alive;
}

sub works {
    my ($what) = @_;
    my $r = $http->get("http://127.0.0.1:$port/health");
    is($r->{status}, 200, "$what: it is healthy at once");
    is(scalar(grep { !part($_) || !kill 0, part($_) }
              qw(supervisor database platform nginx)), 0, "$what: all its parts live");
}

sub sentence {
    my ($out, $like, $what) = @_;
    my @lines = split /\n/, $out;
    is(scalar @lines, 1, "$what: one sentence") or diag $out;
    like($out, $like, '... that says so');
}

my ($rc, $out);

# a port that is taken

my $taken = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die;
my $used = $taken->sockport;

for my $how ([], ['--detach']) {
    ($rc, $out) = mntreamer('run', '--dir', "$base/none", '--http-port', $used, @$how);
    is($rc, 1, "port taken @$how: refused");
    sentence($out, qr/port $used is taken.*--http-port/, 'port taken');
    ok(!-e "$base/none", '... nothing was made');
    is(join(',', alive("$base/none")), '', '... nothing is left');
}

# directories that cannot be written

my @in = ('unshare', '-m', 'sh', '-c',
          "mkdir -p $base/ro && mount -t tmpfs -o ro none $base/ro && exec \"\$@\"", 'sh');

for my $how ([], ['--detach']) {
    ($rc, $out) = mntreamer('run', '--dir', '/proc/mntreamer', '--http-port', $port, @$how);
    is($rc, 1, "no directory can be made @$how: refused");
    sentence($out, qr{/proc/mntreamer cannot be written}, 'no directory');

    SKIP: {
        skip 'no mounts here', 3
            if system(qw(unshare -m sh -c), 'mount -t tmpfs none /mnt 2>/dev/null');

        ($rc, $out) = run_in(\@in, 'run', '--dir', "$base/ro/state", '--http-port',
                             $port, @$how);
        is($rc, 1, "read-only @$how: refused");
        sentence($out, qr{$base/ro/state cannot be written}, 'read-only');
    }
}

# once, twice

($rc, $out) = run_here('--detach');
is($rc, 0, 'it starts') or diag $out;
works('started');

for my $how ([], ['--detach']) {
    ($rc, $out) = run_here(@$how);
    is($rc, 0, "twice @$how: nothing to do");
    sentence($out, qr{it runs already: http://127\.0\.0\.1:$port/}, 'twice');

    ($rc, $out) = mntreamer('run', '--dir', $dir, '--http-port', free_port(), @$how);
    is($rc, 1, "twice, another port @$how: refused");
    sentence($out, qr{it runs already, at http://127\.0\.0\.1:$port/ and not at},
             'another port');
}

works('after all that');

# what grows is played by others' players, from its first segment on when asked

my $growing = wait_for(sub {
    my $r = $http->get("http://127.0.0.1:$port/api/v1/recordings");
    my %kind;
    for (@{ JSON::PP::decode_json($r->{content})->{items} }) {
        my $text = $_->{url}
            ? $http->get("http://127.0.0.1:$port$_->{url}")->{content} : '';
        my @e = playlist_entries($text);
        next if $text =~ /ENDLIST/ || @e < 4;
        $kind{ $e[0]{map} ? 'fMP4' : 'TS' } = $_->{url};
    }
    keys %kind == 2 && \%kind
}, 'TS and fMP4 are being recorded', 60);

for my $kind (sort keys %{ $growing || {} }) {
    my $url = "http://127.0.0.1:$port$growing->{$kind}";

    SKIP: {
        skip 'no ffprobe here', 2 unless grep { -x "$_/ffprobe" } split /:/, $ENV{PATH};
        my $text = qx{timeout 60 ffprobe -v error -live_start_index 0 -show_entries stream=codec_type -of csv=p=0 '$url' 2>&1};
        like($text, qr/video/, "$kind: ffprobe finds the picture") or diag $text;
        like($text, qr/audio/, "$kind: and the sound");
    }

    SKIP: {
        skip 'no mpv here', 1 unless grep { -x "$_/mpv" } split /:/, $ENV{PATH};
        my $text = qx{timeout 60 mpv --no-config --vo=null --ao=null --untimed --frames=50 --demuxer-lavf-o=live_start_index=0 '$url' 2>&1};
        is($? >> 8, 0, "$kind: mpv plays it") or diag $text;
    }
}

# crashes, and another run before anybody could notice

my %crash = ('nginx and the database' => [qw(nginx database)],
             'the database'           => ['database'],
             'the supervisor'         => ['supervisor'],
             'everything'             => [qw(supervisor nginx database platform)]);

for my $what (sort keys %crash) {
    my @pids = map { part($_) } @{ $crash{$what} };
    kill 'KILL', @pids;

    ($rc, $out) = run_here('--detach');
    is($rc, 0, "$what killed, run: it works") or diag $out;
    works("$what killed");

    is(scalar(grep { my $p = part($_) // 0; grep { $p == $_ } @pids }
              @{ $crash{$what} }), 0, '... with new parts');
}

# it stays so, also when nobody runs it again

my $database = part('database');
kill 'KILL', $database;
wait_for(sub { (part('database') // $database) != $database
               && $http->get("http://127.0.0.1:$port/health")->{status} == 200 },
         'the database killed, no run: it is started again', 30);

# stop, stop, run, stop

($rc, $out) = mntreamer('stop', '--dir', $dir);
is($rc, 0, 'it stops');
sentence($out, qr/: ended$/, 'stop');
is(join(',', alive($dir)), '', '... nothing is left');

($rc, $out) = mntreamer('stop', '--dir', $dir);
is($rc, 0, 'stopped twice');
sentence($out, qr/nothing runs in \Q$dir\E/, 'stop again');

($rc, $out) = run_here('--detach');
is($rc, 0, 'after stop: it starts') or diag $out;
works('after stop');

kill 'KILL', part('supervisor'), part('database');
($rc, $out) = mntreamer('stop', '--dir', $dir);
is($rc, 0, 'stop after a crash');
sentence($out, qr/ended what a run had left behind/, 'stop after a crash');
is(join(',', alive($dir)), '', '... nothing is left');

($rc, $out) = mntreamer('stop', '--dir', $dir);
sentence($out, qr/nothing runs in/, 'stop after that');

# in the foreground, and what ends it

my $pid = fork // die $!;

if (!$pid) {
    open STDIN, '<', '/dev/null';
    open STDOUT, '>', "$base/here";
    open STDERR, '>&', \*STDOUT;
    exec $script, 'run', '--dir', $dir, '--http-port', $port, '--rtmp-port', $rtmp or POSIX::_exit(127);
}

wait_for(sub { (slurp("$base/here") // '') =~ /the page is at/ }, 'in the foreground',
         60);
kill 'TERM', $pid;
waitpid $pid, 0;
is($?, 0, '... TERM ends it');
is(join(',', alive($dir)), '', '... and all of it');

remove_tree($base) if Test::More->builder->is_passing;
done_testing();

END {
    if ($dir && -d "$dir/run") {
        my $status = $?;
        mntreamer('stop', '--dir', $dir);
        $? = $status;
    }
}
