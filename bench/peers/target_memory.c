#define _GNU_SOURCE
#include "target.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static bool overlaps(const struct dma_region *region, uint64_t iova, uint64_t size)
{
    return iova < region->iova + region->size && region->iova < iova + size;
}

int target_map(struct target *target, const struct vfio_user_dma_map *map, int fd)
{
    if (map->size == 0 || map->address + map->size < map->address || map->offset + map->size < map->offset) {
        return EINVAL;
    }
    for (uint32_t i = 0; i < target->region_count; i++) {
        if (overlaps(&target->regions[i], map->address, map->size)) {
            return EEXIST;
        }
    }
    if (target->region_count == TARGET_DMA_REGIONS) {
        return ENOSPC;
    }
    struct dma_region region = {.iova = map->address, .size = map->size,
                                .access = map->flags & (VFIO_USER_DMA_READABLE | VFIO_USER_DMA_WRITEABLE)};
    if (fd >= 0) {
        struct stat status;
        if (fstat(fd, &status) != 0) {
            return errno;
        }
        /* Touching a page beyond the end of its file is SIGBUS. */
        if (S_ISREG(status.st_mode) && (uint64_t)status.st_size < map->offset + map->size) {
            return EINVAL;
        }
        int protection = (region.access & VFIO_USER_DMA_READABLE ? PROT_READ : 0) |
                         (region.access & VFIO_USER_DMA_WRITEABLE ? PROT_WRITE : 0);
        void *memory = mmap(NULL, map->size, protection, MAP_SHARED | MAP_POPULATE, fd, (off_t)map->offset);
        if (memory == MAP_FAILED) {
            return errno;
        }
        region.memory = memory;
    }
    target->regions[target->region_count++] = region;
    return 0;
}

static void forget(struct target *target, uint32_t index)
{
    struct dma_region *region = &target->regions[index];
    if (region->memory != NULL) {
        munmap(region->memory, region->size);
    }
    *region = target->regions[--target->region_count];
    memset(&target->regions[target->region_count], 0, sizeof *region);
    target->last_region = &target->regions[0];
}

int target_unmap(struct target *target, uint64_t iova, uint64_t size)
{
    for (uint32_t i = 0; i < target->region_count; i++) {
        if (target->regions[i].iova != iova || target->regions[i].size != size) {
            continue;
        }
        for (uint32_t queue = 0; queue < TARGET_QUEUES; queue++) {
            if ((target->sq[queue].entries != NULL && overlaps(&target->regions[i], target->sq[queue].iova, 1)) ||
                (target->cq[queue].entries != NULL && overlaps(&target->regions[i], target->cq[queue].iova, 1))) {
                /* A real controller would meet an IOMMU fault at its next access. */
                target_fatal(target);
                break;
            }
        }
        forget(target, i);
        return 0;
    }
    return ENOENT;
}

void target_unmap_all(struct target *target)
{
    while (target->region_count > 0) {
        forget(target, target->region_count - 1);
    }
}

uint8_t *target_translate_slow(struct target *target, uint64_t iova, uint64_t size, uint32_t access)
{
    for (uint32_t i = 0; i < target->region_count; i++) {
        struct dma_region *region = &target->regions[i];
        uint64_t offset = iova - region->iova;
        if (offset < region->size && size <= region->size - offset) {
            if (region->memory == NULL || (region->access & access) != access) {
                return NULL;
            }
            target->last_region = region;
            return region->memory + offset;
        }
    }
    return NULL;
}

static uint16_t copy(struct target *target, uint64_t iova, uint8_t *data, uint64_t size, bool to_client)
{
    uint8_t *memory = target_translate(target, iova, size,
                                       to_client ? VFIO_USER_DMA_WRITEABLE : VFIO_USER_DMA_READABLE);
    if (memory == NULL) {
        return NVME_DATA_TRANSFER_ERROR;
    }
    if (to_client) {
        memcpy(memory, data, size);
    } else {
        memcpy(data, memory, size);
    }
    return NVME_SUCCESS;
}

/* Pages that follow each other are copied as one: the processor's prefetchers see one long stream. */
struct gather {
    uint64_t iova, size;
    uint8_t *data;
};

static uint16_t gather_page(struct target *target, struct gather *gather, uint64_t page, uint64_t size, bool to_client)
{
    if (page == gather->iova + gather->size && target_translate(target, gather->iova, gather->size + size, 0) != NULL) {
        gather->size += size;
        return NVME_SUCCESS;
    }
    uint16_t status = copy(target, gather->iova, gather->data, gather->size, to_client);
    gather->data += gather->size;
    gather->iova = page;
    gather->size = size;
    return status;
}

/* PRPs, NVMe 1.4, 4.3. */
uint16_t target_transfer(struct target *target, const struct nvme_command *command, uint8_t *data, uint64_t size,
                         bool to_client)
{
    uint64_t in_first_page = NVME_PAGE - command->prp1 % NVME_PAGE;
    if ((command->flags & 0xc0) != 0) {
        return NVME_INVALID_FIELD; /* SGLs: not ours */
    }
    if (command->prp1 % 4 != 0) {
        return NVME_INVALID_PRP_OFFSET;
    }
    if (size <= in_first_page) {
        return copy(target, command->prp1, data, size, to_client);
    }
    struct gather gather = {.iova = command->prp1, .size = in_first_page, .data = data};
    uint64_t left = size - in_first_page;
    uint16_t status = NVME_SUCCESS;
    if (left <= NVME_PAGE) {
        if (command->prp2 % NVME_PAGE != 0) {
            return NVME_INVALID_PRP_OFFSET;
        }
        status = gather_page(target, &gather, command->prp2, left, to_client);
    } else {
        uint64_t list = command->prp2;
        if (list % 8 != 0) {
            return NVME_INVALID_PRP_OFFSET;
        }
        while (left > 0 && status == NVME_SUCCESS) {
            const uint8_t *entry = target_translate(target, list, 8, VFIO_USER_DMA_READABLE);
            if (entry == NULL) {
                return NVME_DATA_TRANSFER_ERROR;
            }
            uint64_t page = __atomic_load_n((const uint64_t *)entry, __ATOMIC_RELAXED);
            if (page % NVME_PAGE != 0) {
                return NVME_INVALID_PRP_OFFSET;
            }
            /* The last entry of a page of the list points on to its next page, when more than that entry can hold. */
            if (list % NVME_PAGE == NVME_PAGE - 8 && left > NVME_PAGE) {
                list = page;
                continue;
            }
            uint64_t length = left < NVME_PAGE ? left : NVME_PAGE;
            status = gather_page(target, &gather, page, length, to_client);
            left -= length;
            list += 8;
        }
    }
    return status == NVME_SUCCESS ? copy(target, gather.iova, gather.data, gather.size, to_client) : status;
}
