int mnt_x(void);
