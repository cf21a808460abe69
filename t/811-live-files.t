use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTRTMP;
use Test::More;

# LIV-06: live files of broadcasts stay bounded and go when nobody needs them;
# what an unclean end left is swept, and nothing else.

my $m = MNTRTMP->new(workers => 2, silence => "5s", allow_log => qr/exited on signal 9/);

# left by somebody: unknown, old; young; not ours

my ($old, $young) = ('0123456789abcdef' x 2, 'fedcba9876543210' x 2);
for ($old, $young, 'something') {
    mkdir "$m->{hls}/$_";
    spew("$m->{hls}/$_/index.m3u8", "#EXTM3U\n");
    spew("$m->{hls}/$_/0.ts", 'x');
    chown +(getpwnam 'nobody')[2, 3], "$m->{hls}/$_", glob "$m->{hls}/$_/*"
        unless $>;
}
my $before = time - 100;
utime $before, $before, "$m->{hls}/$_" for $old, 'something';

$m->start;
$m->up;
wait_for(sub { !-e "$m->{hls}/$old" }, 'what nobody knows is swept at start');
ok(-e "$m->{hls}/something/0.ts", 'what is no broadcast is left alone');
ok(-e "$m->{hls}/$young/0.ts", 'and what was just written');

# nginx dies with all its workers in the middle of two broadcasts

my ($a, $b) = map { $m->camera($_) } qw(one two);
my $p = $m->publish($a->{key});
my $q = $m->publish($b->{key});
my ($first) = @{ wait_for(sub { my @r = grep { $_->{url} } @{ $m->recordings };
                                @r == 2 && \@r }, 'two are recorded') };
my $name = $m->on_air($a);
my ($rec) = grep { $_->{streamer_id} == $a->{id} } @{ $m->recordings };
wait_for(sub { my @e = playlist_entries($m->playlist($rec)); @e >= 3 },
         'and grow');

$m->crash;
$m->stop_publisher($_) for $p, $q;
my @left = map { m{([^/]+)$} } $m->segments($name);
cmp_ok(scalar(@left), '>', 0, 'all of nginx is killed, their files are left');
$m->start;
$m->up;
$q = $m->publish($b->{key});

# what was complete and not taken yet is taken; then it is over

wait_for(sub { $m->recording($rec->{id})->{status} eq 'recorded' },
         'the one that does not come back is over when it was silent for long',
         60);
my @e = playlist_entries($m->playlist($rec));
like($m->playlist($rec), qr/ENDLIST/, 'viewers are told');
wait_for(sub { !-e "$m->{hls}/$name" }, 'its live files are gone', 60);
my $live = wait_for(sub {
    $q = $m->publish($b->{key}) unless $m->runs($q);     # as encoders do
    my $n = $m->on_air($b);
    return $n && -e "$m->{hls}/$n/index.m3u8" && $n;
}, 'the other one is on the air again', 30);
ok(-e "$m->{hls}/$live", 'and has its files');

$m->stop_publisher($q);
wait_for(sub { !-e "$m->{hls}/$live" }, 'until it ends');
$m->finish;
