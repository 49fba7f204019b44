/* An ALSA capture device that, like a sound card opened without a converter, offers only the sample
 * rate and the number of channels of its entry in alsa.conf. In real time it gives noise in its first
 * channel, and a constant in the others, as where no capsule is connected:
 *   pcm_type.fixed_device { lib "/.../fixed_device.so" }
 *   pcm.NAME { type fixed_device rate 44100 channels 1 }
 */
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define CONSTANT 185

typedef struct {
	snd_pcm_ioplug_t io;
	struct timespec started;
	uint32_t random;
	int timer;
} fixed_device_t;

static int fixed_start(snd_pcm_ioplug_t *io)
{
	fixed_device_t *device = io->private_data;
	return clock_gettime(CLOCK_MONOTONIC, &device->started);
}

static int fixed_stop(snd_pcm_ioplug_t *io)
{
	(void)io;
	return 0;
}

static snd_pcm_sframes_t fixed_pointer(snd_pcm_ioplug_t *io)
{
	fixed_device_t *device = io->private_data;
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	int64_t ns = (now.tv_sec - device->started.tv_sec) * 1000000000LL + now.tv_nsec - device->started.tv_nsec;
	return (ns / 1000 * io->rate / 1000000) % io->buffer_size;
}

static snd_pcm_sframes_t fixed_transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas,
					snd_pcm_uframes_t offset, snd_pcm_uframes_t size)
{
	fixed_device_t *device = io->private_data;
	for (unsigned int channel = 0; channel < io->channels; channel++) {
		char *first = (char *)areas[channel].addr + areas[channel].first / 8;
		for (snd_pcm_uframes_t frame = offset; frame < offset + size; frame++) {
			device->random = device->random * 1664525u + 1013904223u;
			int16_t noise = (int16_t)(device->random >> 24) - 128;
			*(int16_t *)(first + frame * areas[channel].step / 8) = channel ? CONSTANT : noise;
		}
	}
	return size;
}

static int fixed_revents(snd_pcm_ioplug_t *io, struct pollfd *files, unsigned int count, unsigned short *revents)
{
	uint64_t ticks;
	(void)count;
	*revents = files[0].revents;
	if (files[0].revents & POLLIN && read(files[0].fd, &ticks, sizeof ticks) < 0)
		*revents = 0;
	(void)io;
	return 0;
}

static int fixed_close(snd_pcm_ioplug_t *io)
{
	fixed_device_t *device = io->private_data;
	close(device->timer);
	free(device);
	return 0;
}

static const snd_pcm_ioplug_callback_t callbacks = {
	.start = fixed_start,
	.stop = fixed_stop,
	.pointer = fixed_pointer,
	.transfer = fixed_transfer,
	.poll_revents = fixed_revents,
	.close = fixed_close,
};

static int set_constraints(snd_pcm_ioplug_t *io, unsigned int rate, unsigned int channels)
{
	static const unsigned int accesses[] = {SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_ACCESS_MMAP_INTERLEAVED};
	static const unsigned int formats[] = {SND_PCM_FORMAT_S16_LE};
	if (snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, 2, accesses) < 0 ||
	    snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, 1, formats) < 0 ||
	    snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_RATE, rate, rate) < 0 ||
	    snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_CHANNELS, channels, channels) < 0 ||
	    snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, 128, 1 << 18) < 0 ||
	    snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIODS, 2, 64) < 0)
		return -EINVAL;
	return 0;
}

SND_PCM_PLUGIN_DEFINE_FUNC(fixed_device)
{
	long rate = 44100, channels = 1;
	snd_config_iterator_t at, next;
	(void)root;
	snd_config_for_each(at, next, conf) {
		snd_config_t *entry = snd_config_iterator_entry(at);
		const char *id;
		if (snd_config_get_id(entry, &id) < 0)
			continue;
		if (!strcmp(id, "rate"))
			snd_config_get_integer(entry, &rate);
		else if (!strcmp(id, "channels"))
			snd_config_get_integer(entry, &channels);
	}
	if (stream != SND_PCM_STREAM_CAPTURE)
		return -EINVAL;
	fixed_device_t *device = calloc(1, sizeof *device);
	struct itimerspec tick = {{0, 5000000}, {0, 5000000}};
	device->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	timerfd_settime(device->timer, 0, &tick, NULL);
	device->io.version = SND_PCM_IOPLUG_VERSION;
	device->io.name = "fixed device";
	device->io.mmap_rw = 0;
	device->io.callback = &callbacks;
	device->io.private_data = device;
	device->io.poll_fd = device->timer;
	device->io.poll_events = POLLIN;
	int error = snd_pcm_ioplug_create(&device->io, name, stream, mode);
	if (error < 0) {
		close(device->timer);
		free(device);
		return error;
	}
	error = set_constraints(&device->io, rate, channels);
	if (error < 0) {
		snd_pcm_ioplug_delete(&device->io);
		return error;
	}
	*pcmp = device->io.pcm;
	return 0;
}
SND_PCM_PLUGIN_SYMBOL(fixed_device);
