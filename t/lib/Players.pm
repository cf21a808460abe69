package Players;

# Players of HLS, each with an address of its own below 127.0.0.0/8: once a
# second they load playlists, as it was not modified since, and the newest segment.
#
#     my $p = Players->new($m, 20, url => $recording->{url});
#     $p->leave(5);              # the last ones do, without a word
#     $p->stop;
#
# net => 2 gives addresses 127.0.2.*; methods => [...], tracks => [...] of the
# directory instead of the playlist, segments => 0 or 1, agent, range, more => the
# headers of every request.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);


sub new {
    my ($class, $m, $n, %o) = @_;
    my $self = bless { began => time, port => $m->{port}, n => $n, net => 1,
                       methods => ['GET'], segments => 1, agent => 'Players/1',
                       %o }, $class;

    ($self->{dir}) = $o{url} =~ m{^(.*/)};
    $self->{tracks} //= [$o{url} =~ m{([^/]+)$}];
    $self->{pids} = [map { $self->play($_) } 1 .. $n];

    return $self;
}


# one process a player: they wait for nothing of each other

sub play {
    my ($self, $i) = @_;
    my $parent = $$;
    my $pid = fork // die $!;
    return $pid if $pid;

    $SIG{TERM} = 'DEFAULT';
    my ($t, %tag) = (time + rand);
    while (getppid == $parent) {
        sleep $t - time if $t > time;
        $t += 1;
        for my $track (@{ $self->{tracks} }) {
            for my $method (@{ $self->{methods} }) {
                my ($head, $body) = $self->ask($i, $method,
                    "$self->{dir}$track", $tag{$track}
                    ? "If-None-Match: $tag{$track}\r\n" : '');
                $tag{$track} = $1 if $head =~ /^ETag: (\S+)/m;
                my @s = ($body // '') =~ /^([^#\n]+\.\w+)$/mg;
                $self->ask($i, 'GET', "$self->{dir}$s[-1]")
                    if @s && $self->{segments};
            }
        }
    }
    POSIX::_exit(0);
}


sub ask {
    my ($self, $i, $method, $path, $more) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port},
        LocalAddr => "127.0.$self->{net}.$i", Timeout => 5) or return ('', '');
    $more = $self->{more} if $self->{more};
    $more .= "Range: $self->{range}\r\n" if $self->{range};
    print $s "$method $path HTTP/1.1\r\nHost: a\r\nConnection: close\r\n",
        "User-Agent: $self->{agent}\r\n", $more // '', "\r\n";
    local $/;
    my $text = '';
    while (IO::Select->new($s)->can_read(5)) {
        sysread $s, $text, 65536, length $text or last;
    }
    return $text =~ /^(.*?)\r\n\r\n(.*)$/s ? ($1, $2) : ('', '');
}


sub leave {
    my ($self, $n) = @_;
    my @pids = splice @{ $self->{pids} }, -$n;
    kill 'KILL', @pids;
    waitpid $_, 0 for @pids;
}


sub signal { kill $_[1], @{ $_[0]{pids} } }


sub stop {
    my ($self) = @_;
    $self->leave(scalar @{ $self->{pids} }) if @{ $self->{pids} };
}


sub DESTROY { local ($?, $!); $_[0]->stop }

1;
