use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTRTMP;
use Test::More;
use Time::HiRes qw(time sleep);

# ING-06, ING-08, U3: publishers that come back within resume_window go on in
# their recording, later they begin another one; a reload loses nothing.

my $m = MNTRTMP->new(workers => 3, mntreamer => 'resume_window 8s;');
$m->start;
$m->up;

my ($a, $b) = map { $m->camera($_) } qw(one two);
my %p = ($a->{id} => $m->publish($a->{key}), $b->{id} => $m->publish($b->{key}));

sub of {
    my ($s) = @_;
    return grep { $_->{streamer_id} == $s->{id} } @{ $m->recordings };
}

sub entries { return playlist_entries($m->playlist($_[0])) }
sub grown { my ($r, $n) = @_; return sub { entries($r) >= $n } }

my ($ra) = @{ wait_for(sub { my @r = grep { $_->{url} } of($a); @r && \@r },
                       'one is recorded') };
my ($rb) = @{ wait_for(sub { my @r = grep { $_->{url} } of($b); @r && \@r },
                       'two, too') };
my $first = $m->on_air($a);
wait_for(grown($ra, 3), 'and grows');

# killed and there again before the end is told

$m->stop_publisher($p{$a->{id}}, 'KILL');
wait_for(sub { !$m->on_air($a) }, 'its encoder is killed');
my $n = entries($ra);
$p{$a->{id}} = $m->publish($a->{key});
my $second = wait_for(sub { $m->on_air($a) }, 'and comes back at once');
isnt($second, $first, 'as another broadcast');
wait_for(sub { (grep { $_->{disc} } entries($ra)) == 1 },
         'its recording goes on behind a discontinuity');
wait_for(grown($ra, $n + 3), 'and grows');
unlike($m->playlist($ra), qr/ENDLIST/, 'its end was never told');
is($m->one("SELECT series FROM broadcast WHERE name = '$second'"), $first,
   'both are one series');
is(scalar(of($a)), 1, 'one recording');
is(scalar(grep { $_->{streamer_id} == $a->{id} }
          @{ $m->json('/api/v1/live')->{items} }), 1, 'listed once');
wait_for(sub { !-e "$m->{hls}/$first" }, 'what was taken of the first is gone');

# back after the end was told

$m->stop_publisher($p{$a->{id}});
wait_for(sub { $m->recording($ra->{id})->{status} eq 'recorded' },
         'it stops and is over');
like($m->playlist($ra), qr/ENDLIST/, 'which is told');
my $old = [ entries($ra) ];
my $began = time;
$p{$a->{id}} = $m->publish($a->{key});
wait_for(sub { $m->recording($ra->{id})->{status} eq 'recording' },
         'it comes back some seconds later and goes on');
wait_for(grown($ra, @$old + 1), 'with new segments');
my @now = entries($ra);
is_deeply([ @now[0 .. $#$old] ], $old, 'behind all that it had');
ok($now[@$old]{disc}, 'behind a discontinuity');
is(scalar(of($a)), 1, 'still one recording');

# nginx is reloaded

$m->reload;
$n = entries($rb);
wait_for(grown($rb, $n + 3), 'a reload does not end a recording');
is(scalar(grep { $_->{disc} } entries($rb)), 0, 'nor interrupt it');
is($m->recording($rb->{id})->{gaps}, 0, 'nothing is missing');
is(scalar(of($b)), 1, 'it is the same recording');

# later than resume_window it is another one

$m->stop_publisher($p{$a->{id}});
wait_for(sub { $m->recording($ra->{id})->{status} eq 'recorded' }, 'over');
my @files = file_list("$m->{storage}/rtmp/one");
sleep 8.5;
$p{$a->{id}} = $m->publish($a->{key});
my ($rc) = @{ wait_for(sub {
    my @r = grep { $_->{url} && $_->{id} != $ra->{id} } of($a); @r && \@r },
    'after resume_window it is recorded anew') };
my @e = entries($rc);
is(scalar(grep { $_->{disc} } @e), 0, 'from its own first segment on');
is(join(' ', grep { -f "$m->{storage}/rtmp/one/$_" } @files),
   join(' ', @files), 'all files of the one before are kept');

$m->stop_publisher($_) for values %p;
wait_for(sub { !grep { $_->{status} eq 'recording' } @{ $m->recordings } },
         'all are over');
for my $r (map { $m->recording($_->{id}) } of($a), of($b)) {
    is($r->{gaps}, 0, "recording $r->{id} lost nothing");
    open my $fh, '-|', 'ffmpeg', '-v', 'error', '-nostdin', '-i',
        $m->url($r->{url}), '-map', '0:v', '-f', 'null', '-' or die $!;
    close $fh;
    is($?, 0, 'and plays to its end');
}
wait_for(sub { !glob "$m->{hls}/*" }, 'no live file is left');
$m->finish;
