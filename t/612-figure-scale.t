use strict;
use warnings;
use Test::More;

# The short form of a figure, see docs/figures.md; and that it finds a module
# which connects to forbidden addresses.

my $py = 'python3 t/figures/figures.py --short --tap scale';
is(system($py . ' | sed s/^/#\\ /'), 0, 'it runs');
like(`tail -c 4000 build/figures/scale-short.json`, qr/"verdict": "passed"/,
     'and passes');

my $out = `cd t/figures && python3 -c '
import figures, scale
f = figures.Figure("scale", 2, True)
scale.control(f)
print(len([w for w in f.wrong if "connect()" in w]),
      len([w for w in f.wrong if "was reached" in w]))' 2>&1`;
my ($connects, $accepts) = $out =~ /^(\d+) (\d+)$/m;
ok($connects && $accepts, 'the planted defect is found') or diag $out;

done_testing;
