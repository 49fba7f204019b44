/*
 * Test shim, loaded with LD_PRELOAD: lets picamera2 use libcamera 0.7's "virtual" pipeline on a
 * machine with no camera, no /dev/dma_heap and no /dev/udmabuf (x86-64 only: it stands in for C++
 * functions by their symbols). Never part of the product.
 *
 *   - dma-buf allocations are answered with memory files (memfd);
 *   - requests reach the camera at $CAMSHIM_FPS a second (default 30; 0: as fast as they come),
 *     as from a sensor: a late tick is dropped, never made up for;
 *   - picamera2 asks each camera for a raw stream, which this pipeline does not have: it is
 *     answered as a USB camera would;
 *   - the pipeline's settings are read from $CAMSHIM_VIRTUAL_YAML;
 *   - with $CAMSHIM_ONE_STREAM, a camera has one stream, as a web cam;
 *   - while the file $CAMSHIM_FREEZE exists, no frames come (a camera that hangs).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>

/* ---- files: allocators exist, and the virtual pipeline's settings are ours ---- */

static const char *redirected(const char *path)
{
	static const char *const allocators[] = { "/dev/udmabuf", "/dev/dma_heap/linux,cma",
						  "/dev/dma_heap/vidbuf_cached" };
	static const char settings[] = "/pipeline/virtual/virtual.yaml";
	const char *ours = getenv("CAMSHIM_VIRTUAL_YAML");
	size_t length;

	if (!path)
		return path;
	for (size_t i = 0; i < sizeof(allocators) / sizeof(*allocators); i++)
		if (!strcmp(path, allocators[i]))
			return "/dev/null";
	length = strlen(path);
	if (ours && length >= sizeof(settings) - 1 &&
	    !strcmp(path + length - (sizeof(settings) - 1), settings))
		return ours;
	return path;
}

#define MODE_OF(flags, mode)                             \
	do {                                             \
		if ((flags) & (O_CREAT | O_TMPFILE)) {   \
			va_list rest;                    \
			va_start(rest, flags);           \
			mode = (mode_t)va_arg(rest, int); \
			va_end(rest);                    \
		}                                        \
	} while (0)

#define WRAP_OPEN(name)                                              \
	int name(const char *path, int flags, ...)                   \
	{                                                            \
		static int (*real)(const char *, int, ...);          \
		mode_t mode = 0;                                     \
		if (!real)                                           \
			real = dlsym(RTLD_NEXT, #name);              \
		MODE_OF(flags, mode);                                \
		return real(redirected(path), flags, mode);          \
	}
WRAP_OPEN(open)
WRAP_OPEN(open64)

#define WRAP_OPENAT(name)                                            \
	int name(int folder, const char *path, int flags, ...)       \
	{                                                            \
		static int (*real)(int, const char *, int, ...);     \
		mode_t mode = 0;                                     \
		if (!real)                                           \
			real = dlsym(RTLD_NEXT, #name);              \
		MODE_OF(flags, mode);                                \
		return real(folder, redirected(path), flags, mode);  \
	}
WRAP_OPENAT(openat)
WRAP_OPENAT(openat64)

#define WRAP_STAT(name, type)                                        \
	int name(const char *path, struct type *answer)              \
	{                                                            \
		static int (*real)(const char *, struct type *);     \
		if (!real)                                           \
			real = dlsym(RTLD_NEXT, #name);              \
		return real(redirected(path), answer);               \
	}
WRAP_STAT(stat, stat)
WRAP_STAT(stat64, stat64)

/* ---- dma-buf: memory files in its place ---- */

static int heap_allocation(struct dma_heap_allocation_data *wanted)
{
	int memory = memfd_create("camshim", MFD_CLOEXEC);

	if (memory < 0)
		return -1;
	if (ftruncate(memory, (off_t)wanted->len)) {
		close(memory);
		return -1;
	}
	wanted->fd = (uint32_t)memory;
	return 0;
}

static bool is_dma_buf_name(unsigned int request)
{
	return _IOC_TYPE(request) == DMA_BUF_BASE && _IOC_NR(request) == 1;
}

int ioctl(int fd, unsigned long request, ...)
{
	static int (*real)(int, unsigned long, ...);
	unsigned int code = (unsigned int)request;
	va_list rest;
	void *argument;
	int answer;

	if (!real)
		real = dlsym(RTLD_NEXT, "ioctl");
	va_start(rest, request);
	argument = va_arg(rest, void *);
	va_end(rest);

	if (code == (unsigned int)UDMABUF_CREATE)
		return fcntl((int)((struct udmabuf_create *)argument)->memfd, F_DUPFD_CLOEXEC, 0);
	if (code == (unsigned int)DMA_HEAP_IOCTL_ALLOC)
		return heap_allocation(argument);
	answer = real(fd, request, argument);
	/* A memory file is always in step with the processor, and has no name. */
	if (answer < 0 && (errno == ENOTTY || errno == EINVAL) &&
	    (code == (unsigned int)DMA_BUF_IOCTL_SYNC || is_dma_buf_name(code))) {
		errno = 0;
		return 0;
	}
	return answer;
}

/* ---- libcamera: pace, and no raw stream ---- */

#define CAMERA_QUEUE_REQUEST _ZN9libcamera6Camera12queueRequestEPNS_7RequestE
#define CAMERA_STOP _ZN9libcamera6Camera4stopEv
#define CAMERA_GENERATE_CONFIGURATION \
	_ZN9libcamera6Camera21generateConfigurationENS_4SpanIKNS_10StreamRoleELm18446744073709551615EEE
#define NAME(symbol) NAME_OF(symbol)
#define NAME_OF(symbol) #symbol

/* Python loads libcamera locally, where RTLD_NEXT does not see it. */
static void *libcamera(const char *symbol)
{
	static const char missing[] = "camshim: this libcamera is not 0.7\n";
	void *found = dlsym(RTLD_NEXT, symbol);

	if (!found) {
		void *library = dlopen("libcamera.so.0.7", RTLD_NOW | RTLD_NOLOAD);
		if (library) {
			found = dlsym(library, symbol);
			dlclose(library);
		}
	}
	if (!found) {
		(void)!write(STDERR_FILENO, missing, sizeof(missing) - 1);
		abort();
	}
	return found;
}

struct queued {
	void *camera;
	void *request;
};

#define CAPACITY 256u
static struct queued queue[CAPACITY];
static unsigned int head, tail;
static bool running, pacing;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int (*real_queue_request)(void *, void *);

static double frames_per_second(void)
{
	const char *text = getenv("CAMSHIM_FPS");
	return text ? atof(text) : 30.0;
}

static bool frozen(void)
{
	const char *path = getenv("CAMSHIM_FREEZE");
	return path && access(path, F_OK) == 0;
}

static void *pace(void *unused)
{
	const int64_t second = 1000000000;
	const int64_t period = (int64_t)(1e9 / frames_per_second());
	struct timespec now, next;

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (;;) {
		next.tv_nsec += period;
		next.tv_sec += next.tv_nsec / second;
		next.tv_nsec %= second;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if ((now.tv_sec - next.tv_sec) * second + (now.tv_nsec - next.tv_nsec) > period / 4)
			next = now;
		pthread_mutex_lock(&lock);
		if (running && head != tail && !frozen()) {
			struct queued one = queue[head++ % CAPACITY];
			real_queue_request(one.camera, one.request);
		}
		pthread_mutex_unlock(&lock);
	}
	return unused;
}

int CAMERA_QUEUE_REQUEST(void *camera, void *request)
{
	pthread_t thread;

	if (!real_queue_request)
		real_queue_request = libcamera(NAME(CAMERA_QUEUE_REQUEST));
	if (frames_per_second() <= 0)
		return real_queue_request(camera, request);
	pthread_mutex_lock(&lock);
	running = true;
	queue[tail++ % CAPACITY] = (struct queued){ camera, request };
	if (!pacing) {
		pacing = true;
		pthread_create(&thread, NULL, pace, NULL);
		pthread_detach(thread);
	}
	pthread_mutex_unlock(&lock);
	return 0;
}

int CAMERA_STOP(void *camera)
{
	static int (*real)(void *);

	if (!real)
		real = libcamera(NAME(CAMERA_STOP));
	pthread_mutex_lock(&lock);
	running = false;
	head = tail = 0;
	pthread_mutex_unlock(&lock);
	return real(camera);
}

void *CAMERA_GENERATE_CONFIGURATION(void *answer, void *camera, const int *roles, size_t count)
{
	static void *(*real)(void *, void *, const int *, size_t);
	enum { RAW = 0, VIDEO_RECORDING = 2 };
	int asked[8];

	if (!real)
		real = libcamera(NAME(CAMERA_GENERATE_CONFIGURATION));
	if (count > 8)
		count = 8;
	if (getenv("CAMSHIM_ONE_STREAM") && count > 1)
		count = 1;
	for (size_t i = 0; i < count; i++)
		asked[i] = roles[i] == RAW ? VIDEO_RECORDING : roles[i];
	return real(answer, camera, asked, count);
}
