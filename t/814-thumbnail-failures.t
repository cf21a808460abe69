use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;
use Time::HiRes qw(time sleep);

# A program that hangs, floods, fails or is not there hurts nobody: its deadline,
# two at once, one line for each recording; nothing is left of it when a
# worker ends in whatever way, and nginx logs no alert about it.

# only workers that are killed here may be told of

my $m = MNT->new(workers => 2,
                 allow_log => qr/worker process \d+ exited on signal 9/,
                 mntreamer => 'platform chzzk { thumbnail 1s; }');
my $dir = "$m->{dir}/fake";
mkdir $_ for $dir, "$m->{dir}/bin";
chmod 0777, $dir;
$m->{main} = "env PATH=$m->{dir}/bin:/usr/bin:/bin;";

# what the mode says; the sleep has a number that nobody else's has

my $nap = 100000 + $$;
my $jpeg = "\xff\xd8\xff\xe0" . 'x' x 5000 . "\xff\xd9";
spew("$m->{dir}/jpeg", $jpeg);
chmod 0644, "$m->{dir}/jpeg";

sub fake {
    my ($mode, $code) = @_;
    spew("$m->{dir}/bin/new", "#!/bin/sh\nPATH=/usr/bin:/bin\n: > $dir/$mode.\$\$\n$code\n");
    chmod 0755, "$m->{dir}/bin/new";
    rename "$m->{dir}/bin/new", "$m->{dir}/bin/ffmpeg";
}

sub programs {
    my %all;
    for (glob '/proc/[0-9]*') {
        my $c = MNT::slurp("$_/cmdline") // next;
        $all{$1} = $c if $c =~ m{\Q$m->{dir}/bin/ffmpeg\E|sleep\x{0}$nap\x{0}}
            && m{(\d+)$};
    }
    my @pids = sort { $a <=> $b } keys %all;
    return @pids;
}

sub supervisors {
    my %worker = map { $_ => 1 } @_;
    return grep { (MNT::slurp("/proc/$_/stat") // '') =~ /^\d+ \(.*\) \S (\d+)/
                  && $worker{$1} }
        map { m{(\d+)$} } glob '/proc/[0-9]*';
}

sub metric { return $m->metric(qq(mntreamer_thumbnails_total{result="$_[0]"})) }

# one whose first key frame takes for ever

fake(hang => "trap '' TERM; sleep $nap & sleep $nap");

$m->channel($_, dur => 0.5, live => 1) for 'a' .. 'd';
$m->start;
$m->up;
is(join(' ', supervisors($m->workers_of)), '',
   'no supervisor as long as no program is wanted');
$m->watch($_) for 'a' .. 'd';

wait_for(sub { my @p = glob "$dir/hang.*"; @p >= 2 }, 'programs run');
my $t0 = time;
my @w = $m->workers_of;
my @sup = supervisors(@w);
ok(@sup >= 1 && @sup <= 2, 'a supervisor of a worker');
for (@sup) {
    like(MNT::slurp("/proc/$_/cmdline"), qr/^nginx: mntreamer supervisor/,
         'says what it is');
    is(scalar(grep { (readlink($_) // '') =~ /socket/ } glob "/proc/$_/fd/*"), 1,
       'and has one socket');
}
my %of;
for (map { /(\d+)$/ } glob "$dir/hang.*") {
    my ($parent) = (MNT::slurp("/proc/$_/stat") // '') =~ /^\d+ \(.*\) \S (\d+)/;
    $of{$parent}++ if $parent;
}
is(scalar(grep { my $s = $_; !grep { $_ == $s } @sup } keys %of), 0,
   'programs are those of supervisors');
is(scalar(grep { $_ > 2 } values %of), 0, 'two at once of a worker');
wait_for(sub { metric('failed') > 0 }, 'their deadline', 12);
cmp_ok(time - $t0, '>', 6, 'of 8 s');
cmp_ok(time - $t0, '<', 12, 'and its grace');
like($m->log, qr/no thumbnail of recording \d+: ffmpeg was killed after \d+ ms/,
     'is told');
is($m->get('/health')->{status}, 200, 'nobody waited for them');
my ($r) = @{ $m->recordings };
is($r->{thumbnail}, undef, 'no image');
cmp_ok($m->metric('mntreamer_gaps_total{cause="disk"}') // 0, '==', 0,
       'what is recorded does not suffer');

# SIGKILL of the workers while programs run

wait_for(sub { programs() >= 2 }, 'others run');
my @p = programs();
@w = $m->workers_of;
@sup = supervisors(@w);
kill 'KILL', @w;
wait_for(sub { !grep { kill 0, $_ } @p, @sup },
         'killed workers leave no program and no supervisor', 3);
wait_for(sub { my @n = $m->workers_of; @n == 2 }, 'there are others');

# reload, and a supervisor that is killed

wait_for(sub { programs() >= 2 }, 'programs of the new ones');
@p = programs();
@w = $m->workers_of;
@sup = supervisors(@w);
$m->reload;
wait_for(sub { !grep { kill 0, $_ } @p, @w, @sup }, 'a reload ends them', 12);
wait_for(sub { @p = programs(); grep { (MNT::slurp("/proc/$_/cmdline") // '')
                                        =~ /^sleep/ } @p },
         'and there are others, with what they have started');
@sup = supervisors($m->workers_of);
kill 'KILL', @sup;
wait_for(sub { !grep { kill 0, $_ } @p },
         'a killed supervisor takes its programs along', 3);
wait_for(sub { $m->log =~ /the supervisor of programs \d+ is gone/ },
         'which is told');
fake(image => "cat $m->{dir}/jpeg");
wait_for(sub { metric('made') >= 4 }, 'there is another one', 20);
wait_for(sub { !programs() }, 'what hung is gone', 12);

# images come, and are what was written

wait_for(sub { ($r) = grep { $_->{thumbnail} } @{ $m->recordings } }, 'an image');
is($m->get($r->{thumbnail})->{content}, $jpeg, 'byte for byte');
my ($at) = map { (stat)[9] } glob "$m->{storage}/*/*/*/*/*/*/thumbnail.jpg";
ok($at, 'as a file beside the playlist');
is(scalar(grep { ((stat $_)[2] & 0777) != 0640 }
          glob "$m->{storage}/*/*/*/*/*/*/thumbnail.jpg"), 0, 'with its mode');

# whatever it writes

for my $x ([flood => 'yes', 'wrote too much'],
           [garbage => 'echo no picture', 'gave no image'],
           [empty => '', 'gave no image'],
           [half => "head -c 2000 $m->{dir}/jpeg", 'gave no image'],
           [fails => "echo bad input >&2; exit 69",
            'exited with code 69: bad input'])
{
    my ($mode, $code, $why) = @$x;
    my $failed = metric('failed');
    my $lines = () = $m->log =~ /no thumbnail of/g;
    fake($mode, $code);
    wait_for(sub { glob "$dir/$mode.*" }, "$mode: it runs");
    $m->reload;                                # whose sessions have told nothing
    wait_for(sub { $m->log =~ /no thumbnail of recording \d+: ffmpeg [^\n]*\Q$why/ },
             "$mode: $why", 20);
    sleep 3;
    cmp_ok(metric('failed') - $failed, '>', 2, 'counted each time');
    my $now = () = $m->log =~ /no thumbnail of/g;
    cmp_ok($now - $lines, '<=', 8, 'logged once for each recording')
}

# without ffmpeg "nginx -t" passes, and all is recorded

unlink "$m->{dir}/bin/ffmpeg";
$m->{main} = "env PATH=$m->{dir}/bin;";
$m->write_config;
is($m->nginx('-t'), 0, 'nginx -t passes without ffmpeg');
$m->reload;
wait_for(sub { $m->log =~ /ffmpeg could not be started: execve\(\) failed \(2: / },
         'that there is none is told', 20);
my ($seg) = map { $_->{segments} } $m->recording($r->{id});
wait_for(sub { $m->recording($r->{id})->{segments} > $seg + 4 },
         'recordings go on');
wait_for(sub { !grep { $_->{thumbnail} } @{ $m->recordings } },
         'images that nothing replaces go');

# a crash leaves an image and a half written one: gone with the end

fake(image => "cat $m->{dir}/jpeg");
wait_for(sub { ($r) = grep { $_->{thumbnail} } @{ $m->recordings } },
         'an image again', 20);
my ($d) = $r->{url} =~ m{^/recordings/(.*)/};
fake(hang => "sleep $nap");
spew("$m->{storage}/$d/.thumbnail.jpg.0123abcd-7.part", 'half');
$m->channel($_, live => 0) for 'a' .. 'd';     # who resumes them asks
kill 'KILL', $m->workers_of;
wait_for(sub { !grep { $_->{status} eq 'recording' } @{ $m->recordings } },
         'all are over', 30);
is(join(' ', grep { /thumbnail/ } file_list($m->{storage})), '',
   'no image is left');
is(scalar(grep { $_->{thumbnail} } @{ $m->recordings }), 0, 'nor told of');
wait_for(sub { !programs() }, 'nor a program');

# quit

$m->channel($_, live => 1) for 'a' .. 'd';
wait_for(sub { programs() >= 2 }, 'programs run', 20);
@p = programs();
@sup = supervisors($m->workers_of);
ok($m->stop, 'nginx quits');
is(scalar(grep { kill 0, $_ } @p, @sup), 0, 'and leaves nothing');

$m->finish;
