#include "../base/mnt_x.h"
static const ngx_mntreamer_metric_t  table[] = {
    { "probes_total", "probes",
      NGX_MNTREAMER_LABEL("outcome", 1, NULL) }
};
