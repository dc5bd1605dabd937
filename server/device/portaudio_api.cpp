#include "server/device/portaudio_api.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "server/device/driver_noise.hpp"

namespace continuo::device {
namespace {

constexpr const char* kLibrary = "libportaudio.so.2";

Error unavailable(std::string message) {
  return make_error(ErrorKind::unavailable, "NO_PORTAUDIO", "device", std::move(message));
}

Result<PortAudioApi> bind(void* library) {
  PortAudioApi api;
  api.library = library;
  std::string missing;
  const auto take = [&]<class Pointer>(Pointer& pointer, const char* name, bool needed = true) {
    pointer = reinterpret_cast<Pointer>(dlsym(library, name));
    if (pointer == nullptr && needed) missing = name;
  };
  take(api.initialize, "Pa_Initialize");
  take(api.terminate, "Pa_Terminate");
  take(api.get_error_text, "Pa_GetErrorText");
  take(api.get_last_host_error_info, "Pa_GetLastHostErrorInfo");
  take(api.get_host_api_count, "Pa_GetHostApiCount");
  take(api.get_host_api_info, "Pa_GetHostApiInfo");
  take(api.get_device_count, "Pa_GetDeviceCount");
  take(api.get_device_info, "Pa_GetDeviceInfo");
  take(api.open_stream, "Pa_OpenStream");
  take(api.set_stream_finished_callback, "Pa_SetStreamFinishedCallback");
  take(api.start_stream, "Pa_StartStream");
  take(api.stop_stream, "Pa_StopStream");
  take(api.close_stream, "Pa_CloseStream");
  take(api.is_stream_active, "Pa_IsStreamActive");
  take(api.get_stream_info, "Pa_GetStreamInfo");
  take(api.alsa_enable_realtime_scheduling, "PaAlsa_EnableRealtimeScheduling", false);
  take(api.jack_set_client_name, "PaJack_SetClientName", false);
  take(api.jack_get_client_name, "PaJack_GetClientName", false);
  if (!missing.empty())
    return unavailable(std::string(kLibrary) + " lacks " + missing + ": install libportaudio2 19.6 or newer");
  catch_driver_messages(library);
  return api;
}

struct Descriptor {
  int fd = -1;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
  int release() { return std::exchange(fd, -1); }
};

}  // namespace

std::string PortAudioApi::describe(PaError error) const {
  std::string text = get_error_text(error);
  if (error != paUnanticipatedHostError) return text;
  const PaHostErrorInfo* host = get_last_host_error_info();
  if (host != nullptr && host->errorText != nullptr && *host->errorText != '\0')
    text += std::string(": ") + host->errorText;
  return text;
}

Result<PortAudioApi> load_portaudio() {
  void* library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    return unavailable(std::string("PortAudio cannot be loaded: ") + dlerror() + ": install libportaudio2");
  return bind(library);
}

Result<PortAudioApi> load_private_portaudio() {
  const auto first = load_portaudio();
  if (!first) return first.error();
  Dl_info where{};
  if (dladdr(reinterpret_cast<void*>(first->initialize), &where) == 0 || where.dli_fname == nullptr) {
    return unavailable("the file of PortAudio's library is unknown");
  }
  const std::string path = where.dli_fname;
  const auto failed = [&] {
    return unavailable("no further copy of " + path + " can be made (" + std::strerror(errno) +
                       "): restart the daemon");
  };
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  Descriptor copy{memfd_create("libportaudio", MFD_CLOEXEC)};
  struct stat status{};
  if (file.fd < 0 || copy.fd < 0 || fstat(file.fd, &status) != 0) return failed();
  for (off_t done = 0; done < status.st_size;) {
    const ssize_t n = sendfile(copy.fd, file.fd, nullptr, static_cast<std::size_t>(status.st_size - done));
    if (n <= 0) return failed();
    done += n;
  }
  // The loader knows libraries by name: the descriptor stays open, so that no later copy gets this one's.
  const std::string name = "/proc/self/fd/" + std::to_string(copy.fd);
  void* library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return unavailable(std::string("a private copy of PortAudio cannot be loaded: ") + dlerror());
  copy.release();
  return bind(library);
}

}  // namespace continuo::device
