use strict;
use warnings;
use lib 't/lib';
use MNT;
use Socket qw(SOL_SOCKET SO_RCVBUF inet_aton pack_sockaddr_in);
use Test::More;

# "reserve ... delete_oldest": what is over, old enough and not protected goes,
# the oldest first and no more than is needed; nothing else does.  What is in the
# trash goes before all others.

plan skip_all => 'only root can mount a small file system' if $>;

my $m = MNT->new(workers => 2, mntreamer =>
                 'reserve 20m delete_oldest age=1h; resume_window 1s; trash 1d;');
my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
my $parent = $$;
my $mounted = MNT::quiet('mount', '-t', 'tmpfs', '-o',
                         "size=64m,uid=$uid,gid=$gid", 'tmpfs', $m->{storage});
if (!$mounted) {
    $m->cleanup;
    plan skip_all => 'mounting is not permitted here';
}
END { MNT::quiet('umount', '-l', $m->{storage}) if $mounted && $parent == $$ }

# five that are over, a megabyte and more each; one is still on the air

my @names = qw(one two three four five zero);
my @over = (live => 0, stall => 1, endlist => 1);
$m->channel($_, live => 1, dur => 0.2, size => 200_000, window => 10,
            target => 1) for @names;
$m->channel('six', live => 1, dur => 0.2, size => 2_000, target => 1);
$m->start;
$m->up;
$m->watch($_) for @names, 'six';
wait_for(sub { 7 == grep { $_->{segments} >= 5 } @{ $m->recordings } },
         'seven are recorded', 30);
$m->channel($_, @over) for @names;
wait_for(sub { 6 == grep { $_->{status} eq 'recorded' } @{ $m->recordings } },
         'six are over', 30);

my @r = sort { $a->{id} <=> $b->{id} }
    grep { $_->{status} eq 'recorded' && $_->{channel_name} ne 'zero' } @{ $m->recordings };
my ($zero) = grep { $_->{channel_name} eq 'zero' } @{ $m->recordings };
my ($live) = grep { $_->{status} eq 'recording' } @{ $m->recordings };
my $at = sub {
    my ($n, $hours) = @_;
    $m->psql("UPDATE media_record SET started_at = now() - interval '9 days',"
            . " ended_at = now() - interval '$hours hours'"
            . " WHERE id = $r[$n]{id}");
};
$at->(0, 50);                                   # the oldest, protected
$at->(1, 40);                                   # goes first
$at->(2, 30);                                   # has a file of somebody else
$at->(3, 20);                                   # may stay
my $dir = sub { "$m->{storage}/" . ($_[0]{url} =~ m{^/recordings/(.*)/})[0] };

my $p = $m->call(PATCH => "/api/v1/recordings/$r[0]{id}", { protected => 1 });
is($p->{status}, 400, 'protected is true or false');
$p = $m->call(PATCH => "/api/v1/recordings/$r[0]{id}",
              { protected => JSON::PP::true() });
is($p->{status}, 200, 'one is protected');
ok($p->{json}{protected}, 'and says so');
is($m->call(PATCH => '/api/v1/recordings/999999',
            { protected => JSON::PP::true() })->{status}, 404, 'there is none');
MNT::quiet('touch', $dir->($r[2]) . '/notes.txt');

# one is in the trash, and younger than all

$m->call(DELETE => "/api/v1/recordings/$zero->{id}");
(my $trash = $dir->($zero)) =~ s{([^/]+)\z}{.$1.removed};
wait_for(sub { -e $trash }, 'one is in the trash', 10);

# a viewer is in the middle of one that goes, and reads no further for now

my $body = slurp($dir->($r[1]) . '/000001.ts');
my $viewer = IO::Socket::INET->new(Proto => 'tcp') or die $!;
setsockopt $viewer, SOL_SOCKET, SO_RCVBUF, 4096 or die $!;
connect $viewer, pack_sockaddr_in($m->{port}, inet_aton('127.0.0.1')) or die $!;
syswrite $viewer, 'GET ' . $r[1]{url} =~ s/index\.m3u8/000001.ts/r
    . " HTTP/1.0\r\nHost: x\r\n\r\n";
sysread $viewer, my $seen, 1000;
like($seen, qr{^HTTP/1\.1 200 }, 'a viewer gets a segment');

# so much that two of them make room

my $bytes = sub { `stat -f -c '%f' $m->{storage}` * 4096 };
my $free = $bytes->();
my $size = $r[1]{bytes};
MNT::quiet('fallocate', '-l', int($free - (21 << 20) + $size * 1.2),
           "$m->{storage}/filler");
wait_for(sub { $m->recording($r[1]{id})->{status} eq 'deleted' },
         'the oldest goes', 30);
wait_for(sub { !-e $dir->($r[1]) }, 'with its files');
ok(!-e $trash, 'behind what was in the trash');
is(join(' ', $m->log =~ /recording (\d+) was deleted to make room/g),
   "$zero->{id} $r[1]{id}", 'which went first');
is($m->call(POST => "/api/v1/recordings/$zero->{id}/restore")->{status}, 409,
   'and does not come back');
while (sysread $viewer, my $more, 65536) { $seen .= $more }
is(length +(split /\r\n\r\n/, $seen, 2)[1], length $body,
   'who is in the middle of it gets it whole');
ok((split /\r\n\r\n/, $seen, 2)[1] eq $body, 'as it was');
wait_for(sub { $m->metric('mntreamer_disk_full') == 0 },
         'recordings go on', 30);
is($m->recording($r[0]{id})->{status}, 'recorded', 'a protected one stays');
ok(-e $dir->($r[0]) . '/index.m3u8', 'with its files');
is($m->get($r[1]{url})->{status}, 404, 'the deleted one is not served');
is($m->get($r[0]{url})->{status}, 200, 'the others are');
like($m->log, qr/recording $r[1]{id} was deleted to make room/, 'one line');

# all that may go goes, and nothing else

MNT::quiet('fallocate', '-l', $bytes->() - (8 << 20), "$m->{storage}/more");
wait_for(sub { $m->recording($r[3]{id})->{status} eq 'deleted' },
         'what is old enough goes', 30);
wait_for(sub { $m->log =~ /nothing is left that may be deleted/ },
         'then there is nothing left', 30);
is($m->recording($r[4]{id})->{status}, 'recorded', 'a young one stays');
is($m->recording($live->{id})->{status}, 'recording',
   'and one that is in progress');
ok(-e $dir->($r[2]) . '/notes.txt', 'and what is no part of a recording');
ok(!-e $dir->($r[2]) . '/index.m3u8', 'whose files went');
is($m->one("SELECT count(*) FROM media_record WHERE status = 'deleted'"
           . ' AND removed_at IS NULL'), 0, 'rows say that the files are gone');

unlink "$m->{storage}/filler", "$m->{storage}/more";
wait_for(sub { $m->metric('mntreamer_disk_full') == 0 }, 'there is room', 30);

# between mark and removal nothing is served: a file that cannot be taken away
# keeps it there as long as is wanted

my $hidden = sub { my $d = $dir->($_[0]); $d =~ s{([^/]+)\z}{.$1.removed}; $d };
my $index = $dir->($r[4]) . '/index.m3u8';
my ($segment) = map { $_->{uri} } playlist_entries(slurp($index));
my $held = MNT::quiet('mount', '--bind', $index, $index);
ok($held, 'a file is held');
$at->(4, 60);
MNT::quiet('fallocate', '-l', $bytes->() - (8 << 20), "$m->{storage}/more");
wait_for(sub { -e $hidden->($r[4]) }, 'it goes', 30);
is($m->recording($r[4]{id})->{status}, 'deleted', 'it is marked');
ok(-e $hidden->($r[4]) . '/index.m3u8', 'files are there');
is($m->get($r[4]{url})->{status}, 404, 'and not served');
is($m->get($r[4]{url} =~ s{[^/]+\z}{$segment}r)->{status}, 404,
   'none of them');
(my $odd = $r[4]{url}) =~ s{([^/]+)/([^/]+)\z}{.$1.removed/$2};
is($m->get($odd)->{status}, 404, 'not by the other name either');
unlink "$m->{storage}/more";
wait_for(sub { $m->metric('mntreamer_disk_full') == 0 }, 'there is room', 30);
ok(-e $hidden->($r[4]), 'it is not gone yet');
$held = !MNT::quiet('umount', $hidden->($r[4]) . '/index.m3u8');
wait_for(sub { !-e $hidden->($r[4]) }, 'it goes when it can', 30);
wait_for(sub { $m->one("SELECT removed_at IS NOT NULL FROM media_record
                        WHERE id = $r[4]{id}") eq 't' }, 'as its row says');

# workers that are killed in the middle leave it to the next ones

$m->psql("UPDATE media_record SET status = 'deleted', protected = false
          WHERE id = $r[0]{id}");
rename $dir->($r[0]), $hidden->($r[0]) or die $!;
kill 'KILL', map { @$_ } @{ $m->psql('SELECT pid FROM engine') };
wait_for(sub { !-e $hidden->($r[0]) }, 'what was begun is ended', 30);
wait_for(sub { $m->one("SELECT removed_at IS NOT NULL FROM media_record
                        WHERE id = $r[0]{id}") eq 't' }, 'as its row says');
is($m->recording($live->{id})->{status}, 'recording', 'the other one goes on');

$m->{allow_log} = qr{exited on signal 9};
ok($m->stop, 'nginx ends by itself');
$mounted = !MNT::quiet('umount', '-l', $m->{storage});
$m->finish;
