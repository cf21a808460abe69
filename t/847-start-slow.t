use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTRTMP;
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

# REC-04: an own broadcast begins, and the database takes longer for its row than its
# live playlist is long. It is recorded from its first fragment on, as long as the
# fragments are there; what is gone is written down. So is what nobody looked at in
# time, but not what was not wanted.

my $m = MNTRTMP->new(workers => 2);
$m->start;
$m->up;
my %camera = map { $_ => $m->camera($_) } qw(some all late unwanted);

# no row is made; anything else is answered

$m->psql(q{CREATE TABLE hold (); INSERT INTO hold DEFAULT VALUES;
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
IF EXISTS (SELECT FROM hold) THEN RAISE 'no room' USING ERRCODE = '53100'; END IF;
RETURN NEW; END $$;
CREATE TRIGGER hold BEFORE INSERT ON media_record FOR EACH ROW EXECUTE FUNCTION hold()});

# of one nobody hears for a while, another one is not to be recorded at first

$m->psql("UPDATE streamer_monitor SET owner = 999999, lease_until = now() + interval '1 hour'
          WHERE streamer_id = $camera{late}{id}");
is($m->call(PATCH => "/api/v1/streamers/$camera{unwanted}{id}", { monitored => JSON::PP::false })->{status},
   200, 'one is paused');

my %p = map { $_ => $m->publish($camera{$_}{key}) } keys %camera;
my %name = map { my $c = $camera{$_}; $_ => wait_for(sub { $m->on_air($c) }, "$_ is on the air") }
    keys %camera;

# the number of each fragment, by the file that it is

my (%number, $held);
sub look {
    for my $c (keys %name) {
        for ($m->segments($name{$c})) {
            my ($n) = m{/(\d+)\.ts$};
            my $inode = (stat)[1] or next;
            $number{$c}{$inode} //= $n;
        }
    }
}
my $listed = sub { (slurp("$m->{hls}/$name{$_[0]}/index.m3u8") // '') =~ /MEDIA-SEQUENCE:(\d+)/ ? $1 : 0 };
wait_for(sub { look(); !grep { $listed->($_) < 4 } keys %name },
         'the first fragments have left the playlist', 40);
is($m->one('SELECT count(*) FROM media_record'), 0, 'and there is no row yet');

# some of one are gone

my @gone = map { "$m->{hls}/$name{some}/$_.ts" } 1, 2;
is(unlink(@gone), 2, 'two of one are gone');
$m->psql('DELETE FROM hold');
$m->psql("UPDATE streamer_monitor SET owner = NULL, lease_until = NULL
          WHERE streamer_id = $camera{late}{id}; NOTIFY mntreamer, 'due'");
$m->call(PATCH => "/api/v1/streamers/$camera{unwanted}{id}", { monitored => JSON::PP::true });
wait_for(sub { look(); 4 == grep { $_->{segments} >= 14 } @{ $m->recordings } },
         'all are recorded', 30);
for my $c (sort keys %name) {
    $m->stop_publisher($p{$c});
    my ($r) = grep { $_->{broadcast_id} eq $name{$c} } @{ $m->recordings };
    wait_for(sub { look(); $m->recording($r->{id})->{status} eq 'recorded' }, "$c: it is over");
    my ($dir) = $r->{url} =~ m{^/recordings/(.*)/index\.m3u8$};
    my @n = map { $number{$c}{ (stat "$m->{storage}/$dir/$_->{uri}")[1] } // 'x' }
        playlist_entries($m->playlist($r));
    pop @n while @n && $n[-1] eq 'x';          # quicker than we look

    # the first one may be sound only, see t/846

    my $from = $m->log =~ /recording $r->{id} of \S+ begins with its first picture/ ? 1 : 0;
    $from = $n[0] if $c =~ /late|unwanted/;
    my @want = grep { $c ne 'some' || $_ < 1 || $_ > 2 } $from .. $n[-1];
    is("@n", "@want", "$c: each fragment that was there, in order");
    is($m->one("SELECT string_agg(first_sequence || '+' || segments || ' ' || reason, ', ')
                FROM media_gap WHERE recording_id = $r->{id}") // '',
       { some => '1+2 window', late => "0+$from window" }->{$c} // '',
       '... and what was not is written down, as it was wanted');
    cmp_ok($from, '>=', 4, '... from where it was heard of') if $c =~ /late|unwanted/;
}

$m->no_secrets;
$m->finish;
