use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;
use Time::HiRes qw(sleep time);

# DESIGN 5: what "durability" promises, in the order of the calls; and recovery
# at start of a directory that was damaged in all ways a crash can.

plan skip_all => 'a sanitizer is preloaded already' if $ENV{MNT_SAN};

sub cc {
    my ($m) = @_;
    MNT::quiet('cc', '-shared', '-fPIC', '-O1', '-o', "$m->{dir}/synclog.so",
               "$MNT::TOP/t/lib/synclog.c", '-ldl');
    return -e "$m->{dir}/synclog.so";
}

sub segments {
    my ($m, $n) = @_;
    return wait_for(sub {
        my ($r) = @{ $m->recordings };
        $r && $r->{segments} >= $n && $r
    }, "$n segments are recorded", 20);
}

for my $how ('segment', 'interval=1s', 'none') {
    my $m = MNT->new(workers => 1, mntreamer => "durability $how;",
                     main => 'env LD_PRELOAD; env SYNCLOG;');
    ok(cc($m), 'a library that listens') or next;
    spew("$m->{dir}/sync", '');
    chmod 0666, "$m->{dir}/sync";
    $m->channel('eta', live => 1, dur => 0.5);
    {
        local $ENV{LD_PRELOAD} = "$m->{dir}/synclog.so";
        local $ENV{SYNCLOG} = "$m->{dir}/sync";
        $m->start;
    }
    $m->up;
    $m->watch('eta');
    segments($m, 10);

    my (%synced, %done, @wrong, $syncs, $renames, $lists);
    for (split /\n/, slurp("$m->{dir}/sync")) {
        if (/^sync (\S+)$/) {
            my $file = $1;
            $synced{ $file =~ s{.*/}{}r } = 1;
            $syncs++ if $file =~ /\.part$|\.ts$/;
        } elsif (/^rename (\S+\.part) (\S+)$/) {
            $renames++;
            push @wrong, "$2 is renamed before it is on the disk"
                if !$synced{$1};
            push @wrong, "$2 is renamed before the journal is on the disk"
                if !$synced{'.index.journal'};
            delete $synced{'.index.journal'};
        } elsif (/^list /) {
            $lists++;
        }
    }
    cmp_ok($renames, '>=', 10, "$how: ten were stored");
    cmp_ok($lists, '>=', 9, "$how: and listed");

    if ($how eq 'segment') {
        is(join("\n", @wrong), '', "$how: each is on the disk before");
    } elsif ($how eq 'none') {
        is($syncs // 0, 0, "$how: nothing waits for the disk");
    } else {
        cmp_ok(scalar @wrong, '>', 0, "$how: no segment waits for the disk");
        wait_for(sub { slurp("$m->{dir}/sync") =~ /^sync .*\.(?:ts|m3u8)$/m },
                 "$how: but they get there", 5);
    }

    ok($m->stop, 'nginx ends by itself');
    $m->check_log;
    $m->cleanup;
}

# a crash, and what else may have happened to the directory

my $m = MNT->new(workers => 2);
$m->channel('theta', live => 1, dur => 0.5, window => 40);
$m->start;
$m->up;
$m->watch('theta');
my $r = segments($m, 14);
$m->channel('theta', stall => 1);
my $n = 0;
wait_for(sub {
    my $now = playlist_entries($m->playlist($r));
    my $same = $now == $n;
    $n = $now;
    sleep 0.7;
    $same
}, 'all that was published is listed');
$m->crash;

my ($rel) = $r->{url} =~ m{^/recordings/(.*)/};
my $dir = "$m->{storage}/$rel";
my $text = slurp("$dir/index.m3u8");
my @e = playlist_entries($text);
ok(-e "$dir/.index.journal", 'there is a journal');

# the playlist: two entries short, and a torn third one

my @line = split /^/, $text;
my ($cut) = grep { $line[$_] eq "$e[-2]{uri}\n" } 0 .. $#line;
$cut-- until $line[$cut - 1] eq "$e[-3]{uri}\n";
spew("$dir/index.m3u8", join('', @line[0 .. $cut - 1], '#EXTINF:0.5000'));

# the journal: torn; its last file not renamed yet; an orphan and a half part

my $journal = slurp("$dir/.index.journal");
spew("$dir/.index.journal", $journal . 'S 99 100 deadbeef ts 0 12');
my ($last) = grep { /^S / } reverse split /\n/, $journal;
my (undef, undef, $part, $token) = split ' ', $last;
ok(rename("$dir/$e[-1]{uri}", sprintf '%s/%s.%s.part', $dir, $part, $token),
   'the last rename did not get to the disk') or diag $last;
spew("$dir/7777.0badcafe.part", 'half a segment');
spew("$dir/009999.ts", 'a file of nobody');

# one that is gone, one that is cut

unlink "$dir/$e[4]{uri}";
truncate "$dir/$e[8]{uri}", 1000;
system('chown', '-R', 'nobody:nogroup', $dir) if !$>;

$m->start;
$m->channel('theta', stall => 0, window => 60);
wait_for(sub { playlist_entries($m->playlist($r)) > @e + 3 },
         'the recording goes on', 20);
is(scalar @{ $m->recordings }, 1, 'as the same one');
$m->channel('theta', live => 0, stall => 1, endlist => 1);
wait_for(sub { $m->playlist($r) =~ /^#EXT-X-ENDLIST\n\z/m }, 'and ends', 32);

my @new = playlist_entries($m->playlist($r));
my %made = map { sha256_of($m->segment('theta', '1080p60', $_)) => $_ }
    0 .. 200;
my @k = map { $made{ sha256_of(slurp("$dir/$_->{uri}") // '') } } @new;
is(scalar(grep { !defined } @k), 0, 'every listed file is whole')
    or diag "@{[ map { $_ // 'x' } @k ]}";
my %seen;
is(scalar(grep { $seen{$_}++ } grep { defined } @k), 0, 'and there once');
is("@k", join(' ', sort { $a <=> $b } @k), 'and in order');
my %want = map { $_ => 1 } $k[0] .. $k[-1];
delete @want{ grep { defined } @k };
my @before = map { $made{ sha256_of(slurp("$dir/$_->{uri}") // '') } // 'x' } @e;
is(scalar(keys %want), 2, 'two are missing: the one gone and the one cut')
    or diag join ' ', sort { $a <=> $b } keys %want;
is(scalar(grep { $_->{uri} eq $e[-1]{uri} || $_->{uri} eq $e[-2]{uri} } @new), 2,
   'what was stored and not listed is listed');
my ($after) = grep { $_->{uri} eq $e[5]{uri} } @new;
ok($after->{disc}, 'the hole is a discontinuity');
wait_for(sub { $m->recording($r->{id})->{gaps} >= 1 }, 'and a gap');
my $full = $m->recording($r->{id});
like(join(' ', map { $_->{reason} } @{ $full->{gap_list} }), qr/disk/,
     'of the disk');
my ($g) = grep { $_->{reason} eq 'disk' } @{ $full->{gap_list} };
is($g->{segments}, 2, '... with its size');
is($g->{at}, 2, '... and its place');
is($full->{segments}, scalar @new, 'the row counts what is listed');

is($m->get($r->{url} =~ s/index\.m3u8/.index.journal/r)->{status}, 404,
   'the journal is not served');
is(scalar(grep { /\.part$/ } file_list($dir)), 0, 'no .part is left');
ok(-e "$dir/009999.ts", 'what nobody knows is left alone');
ok(!(grep { $_->{uri} eq '009999.ts' } @new), 'and not listed');

$m->finish;
