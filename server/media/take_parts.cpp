#include "server/media/take_parts.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <utility>

#include "server/base/check.hpp"

namespace continuo::media {
namespace {

std::filesystem::path part_name(const std::filesystem::path& file, std::uint32_t number) {
  char text[16];
  std::snprintf(text, sizeof text, "-%03u", number);
  return file.parent_path() / (file.stem().string() + text + file.extension().string());
}

WavFormat one_file(const TakeRequest& request, WavFormat format) {
  if (request.split) format.channels = 1;
  return format;
}

}  // namespace

/// Also of whoever closes a part meanwhile.
struct TakeParts::Shared {
  mutable std::mutex mutex;
  std::string error;
  std::vector<std::filesystem::path> names;
  int closing = 0;
};

TakeParts::TakeParts(const TakeRequest& request, const WavFormat& format)
    : request_(request),
      format_(format),
      file_format_(one_file(request, format)),
      shared_(std::make_shared<Shared>()) {}

TakeParts::~TakeParts() { discard_next(); }

std::vector<std::filesystem::path> TakeParts::names_of(std::uint32_t number) const {
  std::vector<std::filesystem::path> names = take_files(request_.file, request_.split ? format_.channels : 0);
  if (request_.part_frames > 0) {
    for (std::filesystem::path& name : names) name = part_name(name, number);
  }
  return names;
}

std::unique_ptr<TakePart> TakeParts::make_part(const std::filesystem::path& name,
                                               std::unique_ptr<TakeFile> file) const {
  const auto make = request_.container == Container::flac ? make_flac_part : make_wav_part;
  return make(name, file_format_, request_.dither, std::move(file));
}

Result<> TakeParts::begin(std::vector<std::unique_ptr<TakeFile>> files) {
  const auto names = names_of(1);
  CONTINUO_CHECK(names.size() == files.size(), "a file for each name");
  for (std::size_t i = 0; i < files.size(); ++i) now_.files.push_back(make_part(names[i], std::move(files[i])));
  volume_ = now_.files.front()->file().volume();
  for (std::size_t i = 0; i < now_.files.size(); ++i) {
    const int number = now_.files[i]->begin(notes_of(now_, i));
    if (number == 0) continue;
    discard();
    return disk_error(number, now_.files[i]->wanted(), "cannot write");
  }
  announce(now_);
  return {};
}

void TakeParts::announce(const Part& part) {
  const std::lock_guard lock(shared_->mutex);
  for (const auto& file : part.files) shared_->names.push_back(file->wanted());
}

TakeNotes TakeParts::notes_of(const Part& part, std::size_t file) const {
  TakeNotes notes;
  notes.description = request_.description;
  notes.reference = file_reference(request_.reference, request_.part_frames > 0 ? part.number : 0,
                                   request_.split ? static_cast<std::uint32_t>(file) + 1 : 0);
  notes.time_reference = place_.time_reference + part.from;
  if (place_.began_utc_ns > 0)
    notes.began_utc_ns =
        place_.began_utc_ns + static_cast<std::int64_t>(1e9 * static_cast<double>(part.from) / request_.sample_rate_hz);
  return notes;
}

bool TakeParts::full() const noexcept {
  const bool last = (now_.number + 1) * now_.files.size() > kMaxFiles;
  return request_.part_frames > 0 && now_.kept >= request_.part_frames && !last;
}

void TakeParts::mark() {
  in_hole_ = true;
  if (full()) return;  // the next part marks its first frame
  if (now_.marks.size() < kMaxMarks)
    now_.marks.push_back(now_.kept);
  else
    ++unmarked_;
}

bool TakeParts::append(std::span<const float> samples, std::int64_t frame, Dither dither, bool hole) {
  if (!hole) in_hole_ = false;
  const std::size_t channels = format_.channels;
  while (!samples.empty()) {
    if (full() && !next_part()) return false;
    auto count = static_cast<std::int64_t>(samples.size() / channels);
    if (request_.part_frames > now_.kept) count = std::min(count, request_.part_frames - now_.kept);
    const auto piece = samples.first(static_cast<std::size_t>(count) * channels);
    bool good = true;
    std::int64_t kept = now_.kept + count;
    for (std::size_t i = 0; i < now_.files.size(); ++i) {
      std::span<const float> mine = piece;
      if (request_.split) {
        one_channel_.resize(static_cast<std::size_t>(count));
        for (std::size_t k = 0; k < one_channel_.size(); ++k) one_channel_[k] = piece[k * channels + i];
        mine = one_channel_;
      }
      bytes_.clear();
      if (dither == Dither::tpdf)
        encode_dithered(file_format_.format, file_format_.channels, frame, mine, bytes_, static_cast<std::uint32_t>(i));
      else
        encode_samples(file_format_.format, mine, bytes_);
      if (const int number = now_.files[i]->append(bytes_)) {
        fail(disk_error(number, now_.files[i]->wanted(), "cannot write").message);
        good = false;
      }
      kept = std::min(kept, now_.files[i]->frames());  // the files end together
    }
    now_.kept = kept;
    if (!good) return false;
    samples = samples.subspan(piece.size());
    frame += count;
  }
  return true;
}

Result<> TakeParts::make_next_file() {
  next_.number = now_.number + 1;
  const auto names = names_of(next_.number);
  std::filesystem::path name = names[next_.files.size()];
  std::optional<Result<std::unique_ptr<TakeFile>>> file;
  static_cast<void>(give_free_name(name, [&](const std::filesystem::path& free) {
    file.emplace(request_.make ? request_.make(free) : make_take_file(free));
    return !*file && file->error().kind == ErrorKind::already_exists ? EEXIST : 0;
  }));
  if (!*file) return file->error();
  auto part = make_part(name, std::move(**file));
  if (const int number = part->begin(notes_of(next_, next_.files.size()))) {
    part->file().discard();
    return disk_error(number, name, "cannot write");
  }
  next_.files.push_back(std::move(part));
  return {};
}

void TakeParts::look_ahead() {
  if (request_.part_frames == 0 || next_failed_ || next_.files.size() == now_.files.size() || now_.files.empty())
    return;
  const double ahead = kAheadSeconds * request_.sample_rate_hz;
  const bool last = (now_.number + 1) * now_.files.size() > kMaxFiles;
  if (last || now_.kept == 0 || static_cast<double>(request_.part_frames - now_.kept) > ahead) return;
  next_failed_ = !make_next_file();  // once more when its time has come, and then it is told
}

bool TakeParts::next_part() {
  while (next_.files.size() < now_.files.size()) {
    const Result<> made = make_next_file();
    if (made) continue;
    fail(made.error().message);
    return false;
  }
  // Here and not by whoever closes: nothing later may be in a file without this.
  for (const auto& file : now_.files) {
    if (const int number = file->flush()) {
      fail(disk_error(number, file->wanted(), "cannot write").message);
      return false;
    }
  }
  if (!update()) return false;
  next_.from = now_.from + now_.kept;
  auto done = std::make_shared<Part>(std::exchange(now_, std::exchange(next_, Part{})));
  next_failed_ = false;
  if (in_hole_) now_.marks.push_back(0);
  announce(now_);
  bool later = static_cast<bool>(request_.later);
  {
    const std::lock_guard lock(shared_->mutex);
    later = later && shared_->closing < kMaxClosing;
    if (later) ++shared_->closing;
  }
  const auto close = [shared = shared_, done,
                      notes =
                          [this, &done] {
                            std::vector<TakeNotes> all;
                            for (std::size_t i = 0; i < done->files.size(); ++i) all.push_back(notes_of(*done, i));
                            return all;
                          }(),
                      counted = later] {
    for (std::size_t i = 0; i < done->files.size(); ++i) {
      TakePart& file = *done->files[i];
      std::string why = file.close(done->kept, notes[i], done->marks);
      const std::lock_guard lock(shared->mutex);
      shared->names[(done->number - 1) * done->files.size() + i] = file.final_name();
      if (shared->error.empty()) shared->error = std::move(why);
    }
    const std::lock_guard lock(shared->mutex);
    if (counted) --shared->closing;
  };
  if (later)
    request_.later(close);
  else
    close();
  return true;
}

bool TakeParts::update() {
  for (std::size_t i = 0; i < now_.files.size(); ++i) {
    const int number = now_.files[i]->update(notes_of(now_, i), now_.marks);
    if (number == 0) continue;
    fail(disk_error(number, now_.files[i]->wanted(), "cannot write the header of").message);
    return false;
  }
  return true;
}

bool TakeParts::look() {
  for (const auto& file : now_.files) {
    const int number = file->file().look();
    if (number == 0) continue;
    fail(disk_error(number, file->wanted(), "cannot reach").message);
    return false;
  }
  return true;
}

int TakeParts::sync(bool whole_volume) {
  TakeFile& file = now_.files.front()->file();
  return whole_volume || now_.files.size() > 1 || !all_named() ? file.sync_volume() : file.sync();
}

void TakeParts::close() {
  for (const auto& file : now_.files) {
    if (const int number = file->flush()) fail(disk_error(number, file->wanted(), "cannot write").message);
    now_.kept = std::min(now_.kept, file->frames());
  }
  for (std::size_t i = 0; i < now_.files.size(); ++i) {
    std::string why = now_.files[i]->close(now_.kept, notes_of(now_, i), now_.marks);
    if (!why.empty()) fail(std::move(why));
    const std::lock_guard lock(shared_->mutex);
    shared_->names[(now_.number - 1) * now_.files.size() + i] = now_.files[i]->final_name();
  }
  discard_next();
}

void TakeParts::discard_next() noexcept {
  for (const auto& file : next_.files) file->file().discard();
  next_.files.clear();
}

void TakeParts::discard() noexcept {
  for (const auto& file : now_.files) file->file().discard();
  discard_next();
}

bool TakeParts::all_named() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->closing == 0;
}

std::int64_t TakeParts::free_bytes() const noexcept { return now_.files.front()->file().free_bytes(); }

const std::filesystem::path& TakeParts::wanted() const noexcept { return now_.files.front()->wanted(); }

std::vector<std::filesystem::path> TakeParts::names() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->names;
}

std::string TakeParts::error() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->error;
}

void TakeParts::fail(std::string why) {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->error.empty()) shared_->error = std::move(why);
}

}  // namespace continuo::media
