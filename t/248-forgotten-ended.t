use strict;
use warnings;
use lib 't/lib';
use MNT;
use Compress::Zlib qw(crc32);
use JSON::PP;
use Test::More;

# An older dump of the database comes back, which does not know a recording that
# ended, or that nobody went on with: its number is given again, but its files
# are left as they are. It gets that row, the next broadcast the next number.

my $m = MNT->new(workers => 2, mntreamer => 'refresh 1s; lease 1s;');
$m->channel($_, live => 1, dur => 0.3, window => 6, live_id => 7,
            title => 'before') for qw(kappa psi);
$m->channel('tau', live => 1, dur => 0.3, window => 6, kind => 'fmp4',
            audio => JSON::PP::true);
$m->start;
$m->up;
$m->watch($_) for qw(kappa psi tau);

my $row = sub {
    my ($name, $n) = @_;
    return $m->psql("SELECT path, status, segments, bytes, duration_us, gaps,
                     lost_us, abs(extract(epoch FROM ended_at - now())) < 60,
                     started_at < ended_at, coalesce(title, ''), streamer_id
                     FROM media_record WHERE channel_name = '$name'
                     AND sequence = $n")->[0];
};
my $files = sub {
    my ($path) = @_;
    my $dir = "$m->{storage}/$path";
    return sha256_of(join '', map { ($_, (stat "$dir/$_")[1, 9],
                                     slurp("$dir/$_")) } file_list($dir));
};
my $air = sub {
    my ($name, %d) = @_;
    $m->channel($name, live => 1, stall => 0, endlist => JSON::PP::false,
                live_id => 8, title => 'after', %d);
};

# they end; of kappa something was lost

for my $name (qw(kappa tau psi)) {
    wait_for(sub { (($row->($name, 1) || [])->[2] || 0) >= 4 },
             "$name is recorded");
}
$m->fault(match => '/kappa/seg/', status => 404, times => 40);
wait_for(sub { $row->('kappa', 1)->[5] }, 'with a gap');
$m->heal;
my $n = $row->('kappa', 1)->[2];
wait_for(sub { $row->('kappa', 1)->[2] > $n + 2 }, 'it goes on');
$m->channel($_, live => 0, stall => 1, endlist => JSON::PP::true)
    for qw(kappa tau);
wait_for(sub { $row->($_, 1)->[1] eq 'recorded' }, "$_ ends", 30)
    for qw(kappa tau);
my %was = map { $_ => $row->($_, 1) } qw(kappa tau psi);
my %had = map { $_ => $files->($was{$_}[0]) } qw(kappa tau);

# psi did not: its writer died long ago

$m->crash;
$m->channel('psi', live => 0);
my $journal = "$m->{storage}/$was{psi}[0]/.index.journal";
my @lines = map {
    my ($text, $wall) = /^(.* )(\d+) \*[0-9a-f]{8}$/;
    $text .= $wall - 3600_000;
    sprintf "%s *%08x\n", $text, crc32($text);
} split /\n/, slurp($journal);
spew($journal, join '', @lines);

# all is forgotten

$m->psql("DELETE FROM media_record; UPDATE streamer SET recorded = 0,
          last_recorded_at = NULL, live_broadcast_id = NULL");
$air->($_) for qw(kappa tau psi);
$m->start;
$m->up;

for my $name (qw(kappa tau)) {
    wait_for(sub { (($row->($name, 2) || [])->[2] || 0) >= 4 },
             "$name is recorded under the next number");
    my $now = $row->($name, 1);
    is($files->($was{$name}[0]), $had{$name}, 'no file of the old is touched');

    # no journal tells how many bytes init sections have

    my @same = (0 .. 2, $name eq 'kappa' ? 3 : (), 4 .. 8);
    is("@$now[@same]", "@{ $was{$name} }[@same]", 'which has its row');
    is($now->[9], '', 'that tells nothing of the new one');
    my $new = $row->($name, 2);
    isnt($new->[0], $was{$name}[0], 'the new one has a path of its own');
    is($new->[1], 'recording', 'is in progress');
    is($new->[9], 'after', 'and has its title');
    is($m->one("SELECT recorded FROM streamer WHERE id = $new->[10]"), 1,
       'one counts');
    like($m->log, qr/has forgotten the recording in "\Q$was{$name}[0]\E"/,
         'and the log says so');
    is($m->one("SELECT count(*) FROM media_title JOIN media_record
                ON id = recording_id WHERE sequence = 1
                AND channel_name = '$name'"), 0, 'no title is mixed up');
}
wait_for(sub { (($row->('psi', 2) || [])->[2] || 0) >= 4 },
         'psi is recorded under the next number, too');
my $old = slurp("$m->{storage}/$was{psi}[0]/index.m3u8");
wait_for(sub { $row->('psi', 1)->[1] eq 'recorded' }, 'the old one is closed',
         30);
like(slurp("$m->{storage}/$was{psi}[0]/index.m3u8"), qr/#EXT-X-ENDLIST\n\z/,
     'with its end');
my @e = playlist_entries(slurp("$m->{storage}/$was{psi}[0]/index.m3u8"));
is($row->('psi', 1)->[2], scalar @e, 'its row has its numbers');
is($m->one("SELECT ended_at < now() - interval '50 minutes' FROM media_record
            WHERE channel_name = 'psi' AND sequence = 1"), 't', 'and its time');
cmp_ok(scalar(@e), '<=', scalar(playlist_entries($old)), 'nothing was added');
wait_for(sub { $m->one("SELECT count(*) FROM media_gap JOIN media_record
                        ON id = recording_id WHERE sequence = 1
                        AND channel_name = 'kappa'") == $was{kappa}[5] },
         'the gap of kappa has its row');
is($m->one("SELECT recorded FROM streamer WHERE id = "
           . $row->('psi', 2)->[10]), 1, 'one counts');

$m->{allow_log} = qr/exited on signal 9/;
$m->finish;
