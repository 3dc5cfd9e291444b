// The least program there is, for what a process for each job costs.
int main(void) {
    return 0;
}
