package MNTFollower;

# Followers of own broadcasts, as many as there are names: follower.py.
#
#     my $f = MNTFollower->new;
#     my $m = MNTRTMP->new(platform => 'follower ' . $f->url('a') . ';');
#     $f->mode(a => 'slow 1');
#     $f->heard('a');                  # { event, key, at, ... } each, in order

use strict;
use warnings;

use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP;
use MNT;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my %PIDS;


sub new {
    my ($class) = @_;
    my $self = bless { port => MNT::free_port(),
        dir => tempdir('mntfollow-XXXXXX', TMPDIR => 1, CLEANUP => 1) }, $class;
    mkdir "$self->{dir}/modes";
    spew("$self->{dir}/heard", '');
    return $self->start;
}


sub start {
    my ($self) = @_;
    my $parent = $$;
    my $pid = fork // die $!;
    if (!$pid) {
        exec 'python3', "$MNT::TOP/t/lib/follower.py", '--port', $self->{port},
            '--dir', $self->{dir}, '--parent', $parent or POSIX::_exit(127);
    }
    $self->{pid} = $pid;
    $PIDS{$pid} = 1;
    my $end = time + 10 * $MNT::PATIENCE;
    while (time < $end) {
        last if IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                      PeerPort => $self->{port});
        sleep 0.05;
    }
    return $self;
}


# from now on connections are refused

sub stop {
    my ($self) = @_;
    kill 'KILL', $self->{pid};
    waitpid $self->{pid}, 0;
    delete $PIDS{$self->{pid}};
}


sub url {
    my ($self, $name) = @_;
    return "http://127.0.0.1:$self->{port}/$name";
}


sub mode {
    my ($self, %mode) = @_;
    spew("$self->{dir}/modes/$_", $mode{$_}) for keys %mode;
}


# what a follower heard of a series, or of all

sub heard {
    my ($self, $name, $series) = @_;
    my @all;
    for (split /\n/, slurp("$self->{dir}/heard")) {
        my $x = decode_json($_);
        next if $x->{name} ne $name;
        my $body = decode_json($x->{body});
        next if $series && $body->{broadcast} ne $series;
        my %h = map { lc($_) => $x->{headers}{$_} } keys %{ $x->{headers} };
        push @all, { %$body, at => $x->{t}, key => $h{'idempotency-key'},
                     type => $h{'content-type'}, path => $x->{path} };
    }
    return @all;
}


# "start end" of a series

sub events {
    my ($self, $name, $series) = @_;
    return join ' ', map { $_->{event} } $self->heard($name, $series);
}


END {
    my $rc = $?;
    for (keys %PIDS) { kill 'KILL', $_; waitpid $_, 0 }
    $? = $rc;
}

1;
