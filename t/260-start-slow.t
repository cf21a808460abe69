use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# A broadcast is seen, and the database takes its time until there is a row for it:
# what the source listed meanwhile is part of the recording. It begins with what was
# seen first, if the source still has that, and tells of what it could not have.

my $m = MNT->new(workers => 1);
$m->channel($_, live => 1, dur => 0.3, window => 6) for qw(omega sigma);
$m->start;
$m->up;

my $lock = fork // die;
if (!$lock) {
    exec 'psql', '-X', '-q', '-h', $m->{pg}, '-U', 'postgres', '-d', $m->{db}, '-c',
        'BEGIN; LOCK TABLE media_record IN SHARE MODE; SELECT pg_sleep(5); COMMIT';
}
wait_for(sub { $m->one("SELECT count(*) FROM pg_locks WHERE granted AND mode = 'ShareLock'
                        AND relation::regclass::text = 'media_record'") }, 'no row is made');

# of one of them the source has nothing any more that left its window

$m->fault(match => "/hls/sigma/seg/\\w+-0-(\\d|1\\d)\\.", status => 404, times => -1);
$m->watch($_) for qw(omega sigma);
my $seen = sub {
    my ($name) = @_;
    my ($first) = grep { $_->{path} =~ m{^/hls/$name/media/} } @{ $m->served };
    return $first;
};
wait_for(sub { $seen->('omega') && $seen->('sigma') }, 'both are looked at');
waitpid $lock, 0;
wait_for(sub { 2 == grep { $_->{segments} >= 8 } @{ $m->recordings } }, 'both are recorded', 20);

for my $name (qw(omega sigma)) {
    my ($r) = grep { $_->{channel_name} eq $name } @{ $m->recordings };
    my $dir = "$m->{storage}/" . $m->one("SELECT path FROM media_record WHERE id = $r->{id}");
    my %made = map { sha256_of($m->segment($name, '1080p60', $_)) => $_ } 0 .. 200;
    my @n = map { $made{ sha256_of(slurp("$dir/$_->{uri}")) } // 'x' }
        playlist_entries(slurp("$dir/index.m3u8"));
    my @gap = @{ $m->psql("SELECT first_sequence, first_sequence + segments - 1, reason
                           FROM media_gap WHERE recording_id = $r->{id} ORDER BY 1") };
    my %told = map { $_ => 1 } map { $_->[0] .. $_->[1] } @gap;
    my %have = map { $_ => 1 } @n;
    my ($first) = sort { $a <=> $b } keys %told, keys %have;
    my @silent = grep { !$told{$_} && !$have{$_} } $first .. $n[-1];
    is("@silent", '', "$name: each segment is stored or written down");
    is(scalar(grep { $told{$_} && $have{$_} } $first .. $n[-1]), 0, '... not both');

    # the look came seconds before the lock was gone

    cmp_ok($n[-1] - $first, '>=', 15, '... from the first look on');
    is($have{$first} ? 'stored' : 'written down',
       $name eq 'omega' ? 'stored' : 'written down', '... what was seen first')
        or diag "@n / " . join ', ', map { "@$_" } @gap;
}

$m->finish;
