use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;
use File::Path qw(remove_tree);

# RELIABILITY D6: the directory of a running recording is moved or removed. The
# session must not go on where nobody finds it: it ends, with one line in the
# log, and a new recording begins at once with what the source still has, so
# that all segments are in the one or the other.  What was moved is whole: it
# gets its end where it is.  The row of what is not there any more is deleted.
# So too when it is taken away while no worker has it.

my $m = MNT->new(workers => 2);
$m->channel($_, live => 1, dur => 0.5, window => 12) for qw(phi chi psi);
$m->channel('tau', live => 1, dur => 0.5, window => 12, audio => JSON::PP::true);
$m->start;
$m->up;
$m->watch($_) for qw(phi chi psi tau);

sub of {
    my ($name, %like) = @_;
    my ($r) = grep {
        my $r = $_;
        $r->{channel_name} eq $name && !grep { $r->{$_} ne $like{$_} } keys %like
    } @{ $m->recordings };
    return $r;
}

sub directory {
    my ($r) = @_;
    return "$m->{storage}/"
        . $m->one("SELECT path FROM media_record WHERE id = $r->{id}");
}

sub lines { my ($what) = @_; return scalar(() = slurp("$m->{dir}/logs/error.log") =~ /$what/g) }

my %old;
for my $name (qw(phi chi psi tau)) {
    $old{$name} = wait_for(sub {
        my $r = of($name);
        $r && $r->{segments} >= 5 && $r
    }, "$name is recorded");
}
my %dir = map { $_ => directory($old{$_}) } keys %old;

# moved

my $moved = "$m->{storage}/moved";
rename $dir{phi}, $moved or die "rename: $!";
my $new = wait_for(sub {
    my $r = of('phi');
    $r && $r->{id} != $old{phi}{id} && $r->{segments} >= 9 && $r
}, 'moved: a new recording begins', 20);
isnt(directory($new), $dir{phi}, 'in a directory of its own');
is($m->get($new->{url})->{status}, 200, 'which is served');
ok(!-e $dir{phi}, 'nothing is made where the old one was');
my $text = wait_for(sub {
    my $text = slurp("$moved/index.m3u8");
    $text =~ /#EXT-X-ENDLIST\n\z/ && $text
}, 'what was moved has its end');
my @moved = playlist_entries($text);
is(scalar(grep { !-s "$moved/$_->{uri}" } @moved), 0, 'and all its files');
is(scalar(glob("$moved/*.part")), undef, 'and nothing that was begun');
is($m->one("SELECT status || ' ' || (removed_at IS NOT NULL) || ' ' || segments"
    . " FROM media_record WHERE id = $old{phi}{id}"),
    'deleted true ' . @moved, 'its row is deleted and knows how long it was');

my @dates = map { slurp($_) =~ /PROGRAM-DATE-TIME:(\S+)/g }
    "$moved/index.m3u8", directory($new) . '/index.m3u8';
my %sent = map { $_ => 1 } @dates;
my $hole = 0;
my @have = sort keys %sent;
for my $i (1 .. $#have) {
    my ($one, $two) = map { /:(\d\d)\.(\d{3})/ ? $1 * 1000 + $2 : die $_ }
        @have[ $i - 1, $i ];
    $hole++ if ($two - $one) % 60000 > 600;
}
cmp_ok(scalar(@have), '>', 8, 'the playlists tell the times');
is($hole, 0, 'no segment is in neither');

# moved, with audio of its own: neither track goes on there

$moved = "$m->{storage}/moved too";
rename $dir{tau}, $moved or die "rename: $!";
$new = wait_for(sub {
    my $r = of('tau');
    $r && $r->{id} != $old{tau}{id} && $r->{segments} >= 4 && $r
}, 'with audio: a new recording begins', 20);
ok(-s directory($new) . "/$_", "it has $_")
    for qw(index.m3u8 video.m3u8 audio-1.m3u8);
like(slurp("$moved/$_"), qr/#EXT-X-ENDLIST\n\z/, "$_ has its end where it is")
    for qw(video.m3u8 audio-1.m3u8);
ok(!-e $dir{tau}, 'nothing is made where the old one was');

# removed

my $alike = "the directory of recording $old{chi}{id} was taken away";
remove_tree($dir{chi});
$new = wait_for(sub {
    my $r = of('chi');
    $r && $r->{id} != $old{chi}{id} && $r->{segments} >= 3 && $r
}, 'removed: a new recording begins', 20);
is($m->get($new->{url})->{status}, 200, 'which is served');
is($m->one("SELECT status FROM media_record WHERE id = $old{chi}{id}"),
    'deleted', 'the row of the old one is deleted');
is(lines($alike), 1, 'told once');
is($m->call(GET => '/health')->{json}{disk}{state}, 'ok',
    'and not taken for trouble of the disk');

# while nobody has it

$m->stop;
remove_tree($dir{psi});
$m->start;
$m->up;
$new = wait_for(sub {
    my $r = of('psi');
    $r && $r->{id} != $old{psi}{id} && $r->{segments} >= 3 && $r
}, 'removed while nginx was stopped: a new recording begins', 30);
is($m->one("SELECT status || ' ' || (segments >= $old{psi}{segments})"
    . " FROM media_record WHERE id = $old{psi}{id}"),
    'deleted true', 'the row of the old one is deleted and keeps its numbers');
is(lines("the directory of recording $old{psi}{id} was taken away"), 1,
    'told once');

$m->finish;
